#[derive(polyplug::Type)]
pub struct Order {
    pub id: u64,
    #[contract(since = "1.3", default)]
    pub note: String,
}

#[polyplug::contract(name = "demo.orders", version = "1.2")]
pub trait Orders {
    fn all(&self) -> Vec<Order>;
    fn place(&self, order: &Order) -> bool;
}

fn main() {}
