//! The contract of `test-contracts-old`, changed as it must not be.

/// Changed without a new version: an argument's type, a record, an enum, a declared error, a result, and a method that is
/// gone.
#[polyplug::contract(name = "test.evolving", version = "1.0")]
pub trait Evolving {
    /// Takes larger numbers.
    fn add(&self, a: i64, b: i32) -> i32;
    /// Returns no text any more.
    fn describe(&self, point: Point) -> Option<String>;
    /// Colours come in another order.
    fn next(&self, colour: Colour) -> Colour;
    /// The error says less.
    fn parse(&self, text: &str) -> Result<u32, ParseError>;
}

/// A point, and a coordinate more.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
#[allow(missing_docs)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    pub z: f64,
}

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
#[allow(missing_docs)]
pub enum Colour {
    Green,
    Red,
    Blue,
}

/// Why a text is no number.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
#[allow(missing_docs)]
pub enum ParseError {
    Empty,
    NoDigit { at: u64 },
}

/// The same as the original, but for what was appended.
pub mod forked {
    use super::ParseError as Other;

    /// Compatible with the original, and not with what that became.
    #[polyplug::contract(name = "test.evolving", version = "1.1")]
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
        /// Something else by the name of what the original got.
        #[contract(since = "1.1")]
        fn scale(&self, point: Point, by: Vec<f32>) -> Result<Point, Other>;
    }

    /// A point.
    #[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
    #[allow(missing_docs)]
    pub struct Point {
        pub x: f64,
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
    #[allow(missing_docs)]
    pub struct Order {
        pub count: i64,
        pub price: i64,
    }

    /// Why a text is no number.
    #[derive(Debug, Clone, PartialEq, polyplug::Type)]
    #[allow(missing_docs)]
    pub enum ParseError {
        Empty,
        NoDigit { at: u32 },
    }
}
