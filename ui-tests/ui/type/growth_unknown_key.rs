#[derive(polyplug::Type)]
pub struct Order {
    pub id: u64,
    #[contract(sinse = "1.1", default)]
    pub note: String,
}

fn main() {}
