#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn sum(&self, values: [i32; 4]) -> i32;
}

fn main() {}
