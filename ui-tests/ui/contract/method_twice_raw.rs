#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
    fn r#add(&self, a: i64, b: i64) -> i64;
}

fn main() {}
