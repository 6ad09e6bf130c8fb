pub struct Colour(pub u32);

#[derive(polyplug::Type)]
pub struct Point {
    pub x: f64,
    pub colour: Colour,
}

fn main() {}
