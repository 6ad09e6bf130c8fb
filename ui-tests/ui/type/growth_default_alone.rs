#[derive(polyplug::Type)]
pub struct Order {
    pub id: u64,
    #[contract(default)]
    pub note: String,
}

fn main() {}
