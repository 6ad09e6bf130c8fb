//! Contracts for measuring calls that a plugin makes.

use polyplug::Callback;

/// Implemented by hosts, and by callers.
#[polyplug::contract(name = "test.adder", version = "1.0")]
pub trait Adder {
    /// The sum.
    fn add(&self, a: i32, b: i32) -> i32;
}

/// Implemented by a plugin that calls many times.
#[polyplug::contract(name = "test.spinner", version = "1.0")]
pub trait Spinner {
    /// Adds by way of the host contract.
    fn host(&self, times: u32) -> Result<i32, String>;
    /// Adds by way of another bundle's calculator.
    fn peer(&self, times: u32) -> Result<i32, String>;
    /// Adds by way of an object that is lent.
    fn lent(&self, adder: &dyn Adder, times: u32) -> i32;
    /// Adds by way of a callback.
    fn kept(&self, adder: &Callback<dyn Adder>, times: u32) -> Result<i32, String>;
}
