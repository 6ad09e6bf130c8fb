#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
}

#[derive(Default)]
pub struct Basic<T>(T);

#[polyplug::plugin]
impl<T: Default + Send + Sync> Calculator for Basic<T> {
    fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }
}

fn main() {}
