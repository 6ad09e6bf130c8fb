#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub struct Calculator {
    pub limit: i32,
}

fn main() {}
