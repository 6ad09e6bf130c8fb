pub struct Point {
    pub x: f64,
    pub y: f64,
}

#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn origin(&self) -> Point;
}

fn main() {}
