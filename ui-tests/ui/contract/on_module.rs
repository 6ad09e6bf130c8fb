#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub mod calculator {}

fn main() {}
