#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add<const N: u32>(&self) -> u32;
}

fn main() {}
