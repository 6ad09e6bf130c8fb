//! Version 1 of the bundle that the tests reload.

use std::sync::atomic::{AtomicU64, Ordering};

use test_contracts::{Card, Counter, Stamp};

#[derive(Default)]
struct Stateless;

#[polyplug::plugin]
impl Stamp for Stateless {
    fn version(&self) -> u32 {
        1
    }

    fn echo(&self, text: &str) -> String {
        format!("1 {text}")
    }

    fn card(&self, text: &str) -> Card {
        Card::new(1, text)
    }

    fn give_up(&self, text: &str) {
        panic!("1 {text}");
    }
}

#[derive(Default)]
struct Count(AtomicU64);

#[polyplug::plugin]
impl Counter for Count {
    fn add(&self, by: u64) -> u64 {
        self.0.fetch_add(by, Ordering::Relaxed) + by
    }
}
