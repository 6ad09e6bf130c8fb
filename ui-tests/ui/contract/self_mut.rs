#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn reset(&mut self);
}

fn main() {}
