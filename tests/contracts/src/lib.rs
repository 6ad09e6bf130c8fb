//! Contracts that the tests and benchmarks share with their plugins.

pub mod instances;
pub mod measure;
pub mod panics;
pub mod types;

/// The calculator of the documentation.
#[polyplug::contract(name = "demo.calculator", version = "1.2")]
pub trait Calculator {
    /// The sum.
    fn add(&self, a: i32, b: i32) -> i32;
    /// The quotient, or why there is none.
    fn divide(&self, a: i64, b: i64) -> Result<i64, MathError>;
    /// Greets `name`.
    #[contract(since = "1.1")]
    fn greet(&self, name: &str) -> String;
    /// The sum of all bytes.
    #[contract(since = "1.2")]
    fn sum(&self, data: &[u8]) -> u64;
}

/// Why there is no quotient.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum MathError {
    /// The divisor is zero.
    DivisionByZero,
    /// The quotient is too large.
    Overflow {
        /// The dividend.
        at: i64,
    },
}

/// Something with state.
#[polyplug::contract(name = "test.counter", version = "1.0")]
pub trait Counter {
    /// Adds `by`; the new count.
    fn add(&self, by: u64) -> u64;
}

/// Tells which version of a bundle answers.
#[polyplug::contract(name = "test.stamp", version = "1.0")]
pub trait Stamp {
    /// The version.
    fn version(&self) -> u32;
    /// The version and `text`.
    fn echo(&self, text: &str) -> String;
}

/// Leaves traces on the calling thread.
#[polyplug::contract(name = "test.threads", version = "1.0")]
pub trait Threads {
    /// None.
    fn nothing(&self);
    /// Asks the standard library for the thread's handle, which it remembers in thread-specific data.
    fn current(&self) -> String;
    /// Uses a thread-local value that has a destructor.
    fn destructor(&self);
}
