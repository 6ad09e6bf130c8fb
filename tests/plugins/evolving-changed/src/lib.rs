//! A plugin built against a contract that was changed without a new version. No host may call it.

use test_contracts_changed::{Colour, Evolving, ParseError, Point};

#[derive(Default)]
struct Changed;

#[polyplug::plugin]
impl Evolving for Changed {
    fn add(&self, a: i64, _: i32) -> i32 {
        a as i32
    }

    fn describe(&self, _: Point) -> Option<String> {
        None
    }

    fn next(&self, colour: Colour) -> Colour {
        colour
    }

    fn parse(&self, _: &str) -> Result<u32, ParseError> {
        Err(ParseError::Empty)
    }
}
