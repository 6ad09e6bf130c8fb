#[derive(polyplug::Type)]
pub enum Colour {
    Red,
}

#[derive(polyplug::Type)]
pub struct Order {
    pub id: u64,
    #[contract(since = "1.1", default)]
    pub colour: Colour,
}

fn main() {}
