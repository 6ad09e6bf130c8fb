#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn values(&self) -> &[Vec<i32>];
}

fn main() {}
