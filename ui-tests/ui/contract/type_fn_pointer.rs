#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn each(&self, call: fn(i32) -> i32);
}

fn main() {}
