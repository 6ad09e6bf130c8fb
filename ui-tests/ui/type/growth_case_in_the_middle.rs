#[derive(polyplug::Type)]
pub enum Colour {
    Red,
    #[contract(since = "1.1")]
    Blue,
    Green,
}

fn main() {}
