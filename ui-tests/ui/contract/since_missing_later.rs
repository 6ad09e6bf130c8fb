#[polyplug::contract(name = "demo.calculator", version = "1.2")]
pub trait Calculator {
    #[contract(since = "1.1")]
    fn add(&self, a: i32, b: i32) -> i32;
    fn sub(&self, a: i32, b: i32) -> i32;
}

fn main() {}
