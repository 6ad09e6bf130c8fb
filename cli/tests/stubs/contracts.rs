//! Contracts with every kind of type, for which stubs are made.

#![allow(clippy::result_large_err)]

use std::collections::BTreeMap;

use polyplug::Type;
use polyplug::schema::Schema;
use test_contracts::Calculator;

/// A place. Not `*/`, not `]]`, not `"""`, not `<b>` & `</summary>`, not \
/// @deprecated
#[derive(Debug, Clone, Copy, PartialEq, Type)]
pub(crate) struct Point {
    /// To the right.
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// Fields without names.
#[derive(Debug, Clone, PartialEq, Type)]
pub(crate) struct Pair(pub(crate) u8, pub(crate) u64);

/// What is in store.
#[derive(Debug, Clone, PartialEq, Type)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) class: String,
    pub(crate) note: Option<String>,
    pub(crate) deep: Option<Option<i32>>,
    /// How many.
    #[contract(since = "1.1", default = 7)]
    pub(crate) count: u32,
}

/// A chain of boxes.
#[derive(Debug, Clone, PartialEq, Type)]
pub(crate) struct Chain {
    pub(crate) number: u64,
    pub(crate) next: Option<Box<Chain>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Type)]
pub(crate) enum Colour {
    /// Like blood.
    Red,
    Green,
    #[contract(since = "1.1", other)]
    Unknown,
}

/// Some of the cases have the names of types.
#[derive(Debug, Clone, PartialEq, Type)]
pub(crate) enum Shape {
    Empty,
    Dot(u8),
    Line(Point, Point),
    Circle { centre: Point, radius: f64 },
    Point(Point),
    Inside(Option<Box<Shape>>),
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Type)]
pub(crate) enum Refusal {
    Closed,
    Full { capacity: u32 },
}

/// Is told of each step.
#[polyplug::contract(name = "test.progress", version = "1.0")]
pub(crate) trait Progress {
    /// A step is done; whether to go on.
    fn step(&self, done: u32, label: &str) -> bool;
}

/// Values of all kinds.
#[polyplug::contract(name = "test.kinds", version = "1.2")]
pub(crate) trait Kinds {
    /// The wide ones.
    fn numbers(&self, small: i8, middle: u16, large: i64, real: f32, flag: bool, letter: char) -> (i64, f32);
    fn text(&self, name: &str, data: &[u8]) -> Vec<u8>;
    /// All names.
    fn names(&self, items: Vec<Item>, by_name: BTreeMap<String, Point>) -> Vec<String>;
    fn deep(&self, value: Option<Option<i32>>) -> Option<Option<i32>>;
    /// Another shape.
    fn shape(&self, shape: Shape) -> Shape;
    /// The next colour.
    fn colour(&self, colour: Colour) -> Option<Colour>;
    /// The other way round.
    fn swap(&self, pair: Pair) -> Result<Pair, Refusal>;
    fn settled(&self, value: Result<u8, String>) -> Vec<Result<(), String>>;
    /// Tells of each step.
    fn watch(&self, steps: u32, progress: &dyn Progress) -> Result<u32, String>;
    /// Has names that are keywords.
    fn import(&self, class: u32, end: String) -> u32;
    fn length(&self, chain: Chain) -> u64;
    #[contract(since = "1.2")]
    fn forget_all(&self);
}

/// Another contract of types of the same names.
#[polyplug::contract(name = "test.store-room", version = "2.0")]
pub(crate) trait Store {
    fn add(&self, a: i32, b: i32) -> i32;
    fn find(&self, name: &str) -> Result<Point, Refusal>;
}

/// The calculator of the documentation, for which `tests/typescript` has a plugin.
pub(crate) fn calculator() -> Schema {
    Schema::of::<dyn Calculator>()
}
