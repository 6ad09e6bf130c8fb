//! The interface of the plugin, for polyplug.

#[polyplug::contract(name = "comparison.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
    fn greet(&self, name: &str) -> String;
    fn sum(&self, data: &[u8]) -> u64;
}
