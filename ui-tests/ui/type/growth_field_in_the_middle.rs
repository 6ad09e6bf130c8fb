#[derive(polyplug::Type)]
pub struct Order {
    #[contract(since = "1.1", default)]
    pub note: String,
    pub id: u64,
}

fn main() {}
