#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn fill(&self, data: *mut u8, len: u64);
}

fn main() {}
