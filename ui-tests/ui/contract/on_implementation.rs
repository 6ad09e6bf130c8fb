pub struct Calculator;

#[polyplug::contract(name = "demo.calculator", version = "1.0")]
impl Calculator {
    pub fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }
}

fn main() {}
