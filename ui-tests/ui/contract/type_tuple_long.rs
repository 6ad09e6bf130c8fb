#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn sum(&self, values: (u8, u8, u8, u8, u8, u8, u8, u8, u8)) -> u64;
}

fn main() {}
