#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn count(&self, words: std::collections::HashMap<f64, u32>) -> u64;
}

fn main() {}
