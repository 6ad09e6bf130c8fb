#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn names(&self) -> &[&str];
}

fn main() {}
