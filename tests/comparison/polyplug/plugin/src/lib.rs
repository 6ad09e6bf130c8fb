//! The plugin, for polyplug.

use comparison_contract::Calculator;

#[derive(Default)]
struct Plugin;

#[polyplug::plugin]
impl Calculator for Plugin {
    fn add(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn greet(&self, name: &str) -> String {
        ["Hello, ", name, "!"].concat()
    }

    fn sum(&self, data: &[u8]) -> u64 {
        data.iter().map(|byte| u64::from(*byte)).sum()
    }
}
