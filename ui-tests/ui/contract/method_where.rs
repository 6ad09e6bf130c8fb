#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32) -> i32
    where
        Self: Sized;
}

fn main() {}
