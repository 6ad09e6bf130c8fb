//! Contracts that the tests and benchmarks share with their plugins.

pub mod callbacks;
pub mod calling;
pub mod conformance;
pub mod instances;
pub mod logs;
pub mod measure;
pub mod moody;
pub mod panics;
pub mod places;
pub mod pool;
pub mod settings;
pub mod spinning;
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
    /// The version and `text` in several ways, which agree.
    fn card(&self, text: &str) -> Card;
    /// Panics with the version and `text`.
    fn give_up(&self, text: &str);
}

/// An answer that shows whether all of it is of one version.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Card {
    /// The version.
    pub version: u32,
    /// The version and the text that was given.
    pub text: String,
    /// The version, once for each byte of that text.
    pub repeated: Vec<u64>,
    /// The version.
    pub last: u8,
}

impl Card {
    /// The card of `version` for `text`.
    #[must_use]
    pub fn new(version: u8, text: &str) -> Self {
        Self {
            version: version.into(),
            text: format!("{version} {text}"),
            repeated: vec![version.into(); text.len()],
            last: version,
        }
    }
}

// The contract of examples/c, word for word: the comments are part of its schema.
/// Adds numbers and greets people.
#[polyplug::contract(name = "example.greeter", version = "1.0")]
pub trait Greeter {
    /// The sum.
    fn add(&self, a: i32, b: i32) -> i32;
    /// Greets `name`.
    fn greet(&self, name: &str) -> String;
    /// How many this instance has greeted.
    fn greeted(&self) -> u64;
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
    /// Starts a thread that panics with `words`.
    fn panicking(&self, words: &str);
}
