#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn run(&self) -> Vec<_>;
}

fn main() {}
