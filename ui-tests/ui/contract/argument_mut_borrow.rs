#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn sort(&self, values: &mut Vec<i32>);
}

fn main() {}
