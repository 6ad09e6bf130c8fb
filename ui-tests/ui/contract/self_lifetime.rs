#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn answer<'a>(&'a self) -> i32;
}

fn main() {}
