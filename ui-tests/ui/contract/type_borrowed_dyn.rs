#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn each(&self, call: &dyn Fn(i32));
}

fn main() {}
