use std::sync::Arc;

#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn keep(self: Arc<Self>);
}

fn main() {}
