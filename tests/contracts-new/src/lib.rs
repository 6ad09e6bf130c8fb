//! The contract of `test-contracts-old` as it became: methods were appended, and what is for people was reworded.

/// Grows from version to version, and did.
#[polyplug::contract(name = "test.evolving", version = "1.2")]
pub trait Evolving {
    /// The sum of both.
    fn add(&self, left: i32, right: i32) -> i32;
    /// The point in words.
    fn describe(&self, point: Position) -> String;
    /// The colour after this one.
    fn next(&self, colour: Colour) -> Colour;
    /// What the orders cost.
    fn total(&self, orders: &[Purchase]) -> i64;
    /// The number in a text.
    fn parse(&self, text: &str) -> Result<u32, ParseError>;
    /// The point, farther away.
    #[contract(since = "1.1")]
    fn scale(&self, point: Position, by: f64) -> Position;
    /// The colours that are there.
    #[contract(since = "1.2")]
    fn colours(&self) -> Vec<Colour>;
}

/// A point under another name.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
pub struct Position {
    /// To the right.
    pub x: f64,
    /// Upwards.
    pub y: f64,
}

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
#[allow(missing_docs)]
pub enum Colour {
    Red,
    Green,
    Blue,
}

/// An order under another name.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Purchase {
    /// How many.
    pub count: i64,
    /// What one costs.
    pub price: i64,
}

/// Why a text is no number.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum ParseError {
    /// There is no text.
    Empty,
    /// There is something else.
    NoDigit {
        /// Where.
        at: u32,
    },
}
