macro_rules! methods {
    () => {
        fn sub(&self, a: i32, b: i32) -> i32;
    };
}

#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    methods!();
    fn add(&self, a: i32, b: i32) -> i32;
}

fn main() {}
