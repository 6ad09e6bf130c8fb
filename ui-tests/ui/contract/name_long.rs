#[polyplug::contract(name = "demo.calculator.demo.calculator.demo.calculator.demo.calculator.demo.calculator.demo.calculator.demo.calculator.demo.calculator.demo.calculator.x", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
}

fn main() {}
