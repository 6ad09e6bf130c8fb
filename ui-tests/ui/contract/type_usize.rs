#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn at(&self, index: usize) -> isize;
}

fn main() {}
