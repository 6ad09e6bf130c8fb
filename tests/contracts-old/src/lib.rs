//! A contract as it was.

/// Grows from version to version.
#[polyplug::contract(name = "test.evolving", version = "1.0")]
pub trait Evolving {
    /// The sum.
    fn add(&self, a: i32, b: i32) -> i32;
    /// The point in words.
    fn describe(&self, point: Point) -> String;
    /// The colour after this one.
    fn next(&self, colour: Colour) -> Colour;
    /// What the orders cost.
    fn total(&self, orders: &[Order]) -> i64;
    /// The number in a text.
    fn parse(&self, text: &str) -> Result<u32, ParseError>;
}

/// A point.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
pub struct Point {
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

/// An order.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Order {
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
