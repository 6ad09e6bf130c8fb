//! The calculator plugin of the tests and benchmarks.

use test_contracts::{Calculator, MathError};

#[derive(Default)]
struct Basic;

#[polyplug::plugin]
impl Calculator for Basic {
    fn add(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn divide(&self, a: i64, b: i64) -> Result<i64, MathError> {
        match a.checked_div(b) {
            Some(quotient) => Ok(quotient),
            None if b == 0 => Err(MathError::DivisionByZero),
            None => Err(MathError::Overflow { at: a }),
        }
    }

    fn greet(&self, name: &str) -> String {
        let mut text = String::with_capacity("Hello, !".len() + name.len());
        text.push_str("Hello, ");
        text.push_str(name);
        text.push('!');
        text
    }

    fn sum(&self, data: &[u8]) -> u64 {
        data.iter().map(|byte| u64::from(*byte)).sum()
    }
}

#[derive(Default)]
struct Count(std::sync::atomic::AtomicU64);

#[polyplug::plugin]
impl test_contracts::Counter for Count {
    fn add(&self, by: u64) -> u64 {
        self.0.fetch_add(by, std::sync::atomic::Ordering::Relaxed) + by
    }
}
