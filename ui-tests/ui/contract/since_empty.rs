#[polyplug::contract(name = "demo.calculator", version = "1.2")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
    #[contract]
    fn sub(&self, a: i32, b: i32) -> i32;
}

fn main() {}
