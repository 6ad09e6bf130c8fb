//! A singleton whose factory panics. Its one instance is made when the bundle is loaded.

use polyplug::PluginContext;
use test_contracts::{Calculator, MathError};

struct Only {
    _has_data: u8,
}

impl Only {
    fn new(_: &PluginContext) -> Result<Self, String> {
        panic!("no licence found"); // mark: singleton
    }
}

#[polyplug::plugin(singleton, create = Only::new)]
impl Calculator for Only {
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
