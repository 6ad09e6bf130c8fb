#[derive(polyplug::Type)]
pub struct Order {
    #[contract]
    pub id: u64,
}

fn main() {}
