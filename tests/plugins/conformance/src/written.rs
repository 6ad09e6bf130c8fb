//! Values as Rust writes them.

use std::collections::BTreeMap;

use test_contracts::conformance::{self, Extremes, Item, Many, Options, Order, Written};
use test_contracts::types::{Colour, Shape};

#[derive(Default)]
struct Hand;

/// An option as text.
fn told<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

#[polyplug::plugin]
impl Written for Hand {
    fn extremes(&self) -> Extremes {
        conformance::extremes()
    }

    fn differing(&self, value: &Extremes) -> Vec<String> {
        let wanted = conformance::extremes();
        macro_rules! differing {
            ($($field:ident)*) => {
                [$((stringify!($field), value.$field != wanted.$field)),*]
            };
        }
        let all = differing! {
            int8 int16 int32 int64 nat8 nat16 nat32 nat64 inexact beyond infinite finite letter text bytes
        };
        all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
    }

    fn float_kind(&self, value: f64) -> (bool, bool) {
        (value.is_nan(), value == 0.0 && value.is_sign_negative())
    }

    fn odd_floats(&self) -> (f64, f64) {
        (f64::NAN, -0.0)
    }

    fn total(&self, order: &Order) -> f64 {
        order.items.iter().map(|item| f64::from(item.count) * item.price).sum()
    }

    fn order(&self) -> Order {
        conformance::order()
    }

    fn shapes(&self) -> Vec<Shape> {
        conformance::shapes()
    }

    fn spell(&self, shape: &Shape) -> String {
        match shape {
            Shape::Empty => "empty".to_owned(),
            Shape::Dot(size) => format!("dot {size}"),
            Shape::Line(from, to) => format!("line {} {} {} {}", from.x, from.y, to.x, to.y),
            Shape::Circle { centre, radius } => format!("circle {} {} {radius}", centre.x, centre.y),
            Shape::Named { name, tags, colour } => format!("{name} {} {colour:?}", tags.join(",")),
            Shape::Inside(None) => "inside nothing".to_owned(),
            Shape::Inside(Some(shape)) => format!("inside {}", self.spell(shape)),
        }
    }

    fn next(&self, colour: Colour) -> Colour {
        match colour {
            Colour::Red => Colour::Green,
            Colour::Green => Colour::Blue,
            Colour::Blue => Colour::Red,
        }
    }

    fn tell(&self, options: &Options) -> Vec<String> {
        let nested = match options.nested {
            None => "none".to_owned(),
            Some(inner) => format!("some {}", told(inner.as_ref())),
        };
        let in_map = joined(options.in_map.iter().map(|(key, value)| format!("{key}:{}", told(value.as_ref()))));
        vec![
            format!("plain={}", told(options.plain.as_ref())),
            format!("nested={nested}"),
            format!("in_list={}", joined(options.in_list.iter().map(|item| told(item.as_ref())))),
            format!("in_tuple={} {}", told(options.in_tuple.0.as_ref()), options.in_tuple.1),
            format!("in_map={in_map}"),
            format!("boxed={}", told(options.boxed.as_ref().map(|item| &item.name))),
        ]
    }

    fn options(&self, with: bool) -> Options {
        conformance::options(with)
    }

    fn empty(&self) -> (String, Vec<u8>, Vec<String>, BTreeMap<String, u32>) {
        Default::default()
    }

    fn measure(&self, text: &str, bytes: &[u8]) -> (u64, u64) {
        (text.len() as u64, bytes.len() as u64)
    }

    fn repeat(&self, text: &str, times: u32) -> String {
        text.repeat(times as usize)
    }

    fn fill(&self, count: u32) -> Vec<u8> {
        vec![255; count as usize]
    }

    fn many(
        &self,
        a: u8,
        b: &str,
        c: Option<f32>,
        d: &[i16],
        e: char,
        f: &Item,
        g: &Shape,
        h: u64,
        i: bool,
        j: Colour,
    ) -> Many {
        Many { a, b: b.to_owned(), c, d: d.to_vec(), e, f: f.clone(), g: g.clone(), h, i, j }
    }
}
