#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn join(&self, words: &[&str]) -> String;
}

fn main() {}
