//! A plugin built against a contract that grew differently from the host's.

use test_contracts_changed::forked::{Colour, Evolving, Order, ParseError, Point};

#[derive(Default)]
struct Forked;

#[polyplug::plugin]
impl Evolving for Forked {
    fn add(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn describe(&self, point: Point) -> String {
        format!("forked: {} right, {} up", point.x, point.y)
    }

    fn next(&self, colour: Colour) -> Colour {
        match colour {
            Colour::Red => Colour::Green,
            Colour::Green => Colour::Blue,
            Colour::Blue => Colour::Red,
        }
    }

    fn total(&self, orders: &[Order]) -> i64 {
        orders.iter().map(|order| order.count * order.price).sum()
    }

    fn parse(&self, text: &str) -> Result<u32, ParseError> {
        let digit = |(at, letter): (usize, char)| letter.to_digit(10).ok_or(ParseError::NoDigit { at: at as u32 });
        let digits: Vec<u32> = text.char_indices().map(digit).collect::<Result<_, _>>()?;
        digits.into_iter().reduce(|number, digit| number * 10 + digit).ok_or(ParseError::Empty)
    }

    fn scale(&self, _: Point, _: Vec<f32>) -> Result<Point, test_contracts_changed::ParseError> {
        Err(test_contracts_changed::ParseError::Empty)
    }
}
