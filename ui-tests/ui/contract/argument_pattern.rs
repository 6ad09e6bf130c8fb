#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, (a, b): (i32, i32)) -> i32 {
        a + b
    }
}

fn main() {}
