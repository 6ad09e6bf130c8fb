//! Version 2 of a plugin in Rust for the host in C.

use std::sync::atomic::{AtomicU64, Ordering};

use test_contracts::Greeter;

#[derive(Default)]
struct Polite {
    greeted: AtomicU64,
}

#[polyplug::plugin]
impl Greeter for Polite {
    fn add(&self, a: i32, b: i32) -> i32 {
        a.checked_add(b).expect("the sum is too large")
    }

    fn greet(&self, name: &str) -> String {
        self.greeted.fetch_add(1, Ordering::Relaxed);
        format!("Good evening, {name}.")
    }

    fn greeted(&self) -> u64 {
        self.greeted.load(Ordering::Relaxed)
    }
}
