//! A framework that hands polyplug on to its users.

#![deny(warnings)]

mod framework {
    pub mod plugins {
        pub use ::polyplug::*;
    }
}

#[framework::plugins::contract(name = "pass.reexported", version = "1.0", crate = self::framework::plugins)]
trait Calculator {
    fn add(&self, pair: &Pair) -> Result<i32, Refusal>;
}

#[derive(framework::plugins::Type)]
#[polyplug(crate = crate::framework::plugins)]
struct Pair {
    a: i32,
    b: i32,
}

#[derive(Debug, PartialEq, framework::plugins::Type)]
#[polyplug(crate = crate::framework::plugins)]
enum Refusal {
    Overflow(i32),
}

#[derive(Default)]
struct Plugin;

#[framework::plugins::plugin(crate = framework::plugins)]
impl Calculator for Plugin {
    fn add(&self, pair: &Pair) -> Result<i32, Refusal> {
        pair.a.checked_add(pair.b).ok_or(Refusal::Overflow(pair.a))
    }
}

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calculator.add(&Pair { a: 1, b: 2 }).unwrap(), Ok(3));
    assert_eq!(calculator.add(&Pair { a: i32::MAX, b: 2 }).unwrap(), Err(Refusal::Overflow(i32::MAX)));
}
