//! A plugin built against a new version of its contract.

use test_contracts_new::{Colour, Evolving, ParseError, Position, Purchase};

#[derive(Default)]
struct New;

#[polyplug::plugin]
impl Evolving for New {
    fn add(&self, left: i32, right: i32) -> i32 {
        left.wrapping_add(right)
    }

    fn describe(&self, point: Position) -> String {
        format!("new: {} right, {} up", point.x, point.y)
    }

    fn next(&self, colour: Colour) -> Colour {
        match colour {
            Colour::Red => Colour::Green,
            Colour::Green => Colour::Blue,
            Colour::Blue => Colour::Red,
        }
    }

    fn total(&self, orders: &[Purchase]) -> i64 {
        orders.iter().map(|order| order.count * order.price).sum()
    }

    fn parse(&self, text: &str) -> Result<u32, ParseError> {
        let digit = |(at, letter): (usize, char)| letter.to_digit(10).ok_or(ParseError::NoDigit { at: at as u32 });
        let digits: Vec<u32> = text.char_indices().map(digit).collect::<Result<_, _>>()?;
        digits.into_iter().reduce(|number, digit| number * 10 + digit).ok_or(ParseError::Empty)
    }

    fn scale(&self, point: Position, by: f64) -> Position {
        Position { x: point.x * by, y: point.y * by }
    }

    fn colours(&self) -> Vec<Colour> {
        vec![Colour::Red, Colour::Green, Colour::Blue]
    }
}
