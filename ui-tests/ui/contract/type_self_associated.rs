#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn value(&self) -> Vec<Self::Value>;
}

fn main() {}
