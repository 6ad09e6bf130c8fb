#[derive(polyplug::Type)]
pub struct Order {
    pub id: u64,
    #[contract(since = "1.1")]
    pub note: String,
}

fn main() {}
