use std::cell::Cell;

#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
}

#[derive(Default)]
pub struct Basic {
    calls: Cell<u32>,
}

#[polyplug::plugin]
impl Calculator for Basic {
    fn add(&self, a: i32, b: i32) -> i32 {
        self.calls.set(self.calls.get() + 1);
        a + b
    }
}

fn main() {}
