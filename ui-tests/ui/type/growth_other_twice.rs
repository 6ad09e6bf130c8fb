#[derive(polyplug::Type)]
pub enum Colour {
    #[contract(other)]
    Grey,
    #[contract(other)]
    White,
}

fn main() {}
