pub struct Colour(pub u32);

#[derive(polyplug::Type)]
pub enum Shape {
    Empty,
    Filled(Colour),
}

fn main() {}
