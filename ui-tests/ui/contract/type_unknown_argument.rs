pub struct Point {
    pub x: f64,
    pub y: f64,
}

#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn length(&self, to: Point) -> f64;
}

fn main() {}
