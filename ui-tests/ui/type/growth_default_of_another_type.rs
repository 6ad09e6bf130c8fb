#[derive(polyplug::Type)]
pub struct Order {
    pub id: u64,
    #[contract(since = "1.1", default = "none")]
    pub note: u32,
}

fn main() {}
