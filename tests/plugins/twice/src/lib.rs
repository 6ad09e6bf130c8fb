//! Two plugins for one contract, which a bundle may provide only once.

use test_contracts::{Calculator, MathError};

#[derive(Default)]
struct Older;

#[derive(Default)]
struct Younger;

#[polyplug::plugin]
impl Calculator for Older {
    fn add(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn divide(&self, a: i64, b: i64) -> Result<i64, MathError> {
        a.checked_div(b).ok_or(MathError::DivisionByZero)
    }

    fn greet(&self, name: &str) -> String {
        name.to_owned()
    }

    fn sum(&self, data: &[u8]) -> u64 {
        data.len() as u64
    }
}

#[polyplug::plugin]
impl Calculator for Younger {
    fn add(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn divide(&self, a: i64, b: i64) -> Result<i64, MathError> {
        a.checked_div(b).ok_or(MathError::DivisionByZero)
    }

    fn greet(&self, name: &str) -> String {
        name.to_owned()
    }

    fn sum(&self, data: &[u8]) -> u64 {
        data.len() as u64
    }
}
