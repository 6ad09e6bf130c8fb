#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn divide(&self, a: i32, b: i32) -> Result<i32, std::fmt::Error>;
}

fn main() {}
