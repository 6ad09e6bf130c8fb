//! A contract and its plugin in a crate that depends on polyplug under another name.

#![deny(warnings)]

/// A calculator.
#[renamed::contract(name = "renamed.calculator", version = "1.1", crate = renamed)]
pub trait Calculator {
    /// The sum.
    fn add(&self, a: i32, b: i32) -> i32;
    /// The quotient, or why there is none.
    #[contract(since = "1.1")]
    fn divide(&self, pair: &Pair) -> Result<i64, MathError>;
}

/// Two numbers.
#[derive(Debug, Clone, PartialEq, renamed::Type)]
#[polyplug(crate = ::renamed)]
pub struct Pair {
    /// The first.
    pub a: i64,
    /// The second.
    pub b: i64,
}

/// Why there is no quotient.
#[derive(Debug, Clone, PartialEq, renamed::Type)]
#[polyplug(crate = renamed)]
pub enum MathError {
    /// The divisor is zero.
    DivisionByZero,
    /// The quotient is too large.
    Overflow {
        /// The dividend.
        at: i64,
    },
}

struct Basic;

impl Basic {
    fn new(_: &renamed::PluginContext) -> Result<Self, String> {
        Ok(Self)
    }
}

#[renamed::plugin(create = Basic::new, crate = renamed)]
impl Calculator for Basic {
    fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }

    fn divide(&self, pair: &Pair) -> Result<i64, MathError> {
        match pair.a.checked_div(pair.b) {
            Some(quotient) => Ok(quotient),
            None if pair.b == 0 => Err(MathError::DivisionByZero),
            None => Err(MathError::Overflow { at: pair.a }),
        }
    }
}
