#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
}

#[derive(Default)]
pub struct Basic;

#[polyplug::plugin(create = Basic::new)]
impl Calculator for Basic {
    fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }
}

fn main() {}
