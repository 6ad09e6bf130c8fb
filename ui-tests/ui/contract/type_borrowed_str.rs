#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn name(&self) -> &str;
}

fn main() {}
