#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
}

#[derive(Default)]
pub struct Basic;

#[polyplug::plugin]
impl Calculator for Basic {
    fn add(&self, a: i32, b: i64) -> i32 {
        a + b as i32
    }
}

fn main() {}
