#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add<T>(&self, a: T) -> i32;
}

fn main() {}
