#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn primes(&self) -> impl Iterator<Item = u64>;
}

fn main() {}
