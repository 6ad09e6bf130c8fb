#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn greet(&self, name: Option<&str>) -> String;
}

fn main() {}
