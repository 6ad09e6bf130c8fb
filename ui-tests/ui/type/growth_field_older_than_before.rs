#[derive(polyplug::Type)]
pub struct Order {
    pub id: u64,
    #[contract(since = "1.2", default)]
    pub note: String,
    #[contract(since = "1.1", default)]
    pub count: u32,
}

fn main() {}
