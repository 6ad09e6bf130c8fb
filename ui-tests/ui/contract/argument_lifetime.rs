#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn greet(&self, name: &'static str) -> String;
}

fn main() {}
