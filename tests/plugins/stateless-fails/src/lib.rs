//! A plugin without data whose factory fails. Its one instance is made when the bundle is loaded.

use polyplug::PluginContext;
use test_contracts::{Calculator, MathError};

struct Absent;

impl Absent {
    fn new(_: &PluginContext) -> Result<Self, std::num::ParseIntError> {
        "three".parse::<i32>().map(|_| Self)
    }
}

#[polyplug::plugin(create = Absent::new)]
impl Calculator for Absent {
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
