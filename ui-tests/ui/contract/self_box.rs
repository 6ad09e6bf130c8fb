#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn keep(self: Box<Self>);
}

fn main() {}
