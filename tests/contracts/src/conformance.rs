//! Contracts for what every language has to do: see tests/tests/conformance.
//!
//! With these and those of [`types`](crate::types) a guest shows that it sees values as they are, and not only that it
//! can hand back what it was given.

#![allow(missing_docs)] // the names say what there is to say

use std::collections::BTreeMap;

use polyplug::{Callback, Type};

use crate::callbacks::Progress;
use crate::types::{Colour, Refusal, Shape, Tree};

/// The ends of what each type holds.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Extremes {
    pub int8: (i8, i8),
    pub int16: (i16, i16),
    pub int32: (i32, i32),
    pub int64: (i64, i64),
    pub nat8: u8,
    pub nat16: u16,
    pub nat32: u32,
    pub nat64: u64,
    /// 2^53 + 1, the first that a double cannot hold, up and down.
    pub inexact: (i64, i64),
    /// 2^63, the first that an `i64` cannot hold.
    pub beyond: u64,
    /// Infinite, in both directions.
    pub infinite: (f64, f64),
    /// The largest of 64 and of 32 bits, and the smallest above zero of 64.
    pub finite: (f64, f32, f64),
    pub letter: char,
    pub text: String,
    pub bytes: Vec<u8>,
}

/// A record with others in it.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Order {
    pub id: u64,
    pub customer: String,
    pub items: Vec<Item>,
    pub note: Option<String>,
    pub colour: Colour,
    pub shape: Shape,
    pub stock: BTreeMap<String, u32>,
    pub size: (u8, String),
}

#[derive(Debug, Clone, PartialEq, Type)]
pub struct Item {
    pub name: String,
    pub count: u32,
    pub price: f64,
}

/// Options of every kind.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Options {
    pub plain: Option<i32>,
    pub nested: Option<Option<i32>>,
    pub in_list: Vec<Option<String>>,
    pub in_tuple: (Option<bool>, u8),
    pub in_map: BTreeMap<String, Option<u8>>,
    pub boxed: Option<Box<Item>>,
}

/// The arguments of [`Written::many`].
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Many {
    pub a: u8,
    pub b: String,
    pub c: Option<f32>,
    pub d: Vec<i16>,
    pub e: char,
    pub f: Item,
    pub g: Shape,
    pub h: u64,
    pub i: bool,
    pub j: Colour,
}

/// For a plugin that writes values in its own language, and reads them.
#[polyplug::contract(name = "test.written", version = "1.0")]
pub trait Written {
    /// Those of [`extremes`].
    fn extremes(&self) -> Extremes;
    /// The names of the fields in which `value` differs from those.
    fn differing(&self, value: &Extremes) -> Vec<String>;
    /// Whether the number is none, and whether it is zero with a minus sign.
    fn float_kind(&self, value: f64) -> (bool, bool);
    /// Not a number, and zero with a minus sign.
    fn odd_floats(&self) -> (f64, f64);
    /// What all items cost together: the sum of price times count.
    fn total(&self, order: &Order) -> f64;
    /// The order of [`order`].
    fn order(&self) -> Order;
    /// Those of [`shapes`].
    fn shapes(&self) -> Vec<Shape>;
    /// What a shape is: `empty`, `dot 3`, `line 0 1 2 3`, `circle 0 1 2`, `name tag1,tag2 Red`, `inside <shape>`,
    /// `inside nothing`.
    fn spell(&self, shape: &Shape) -> String;
    /// The colour after it.
    fn next(&self, colour: Colour) -> Colour;
    /// What the options are, each by its name: `plain=none`, `plain=5`, `nested=some none`, `nested=some 5`,
    /// `in_list=none,a`, `in_tuple=none 7`, `in_map=a:none,b:5` in the order of the keys, `boxed=<name of the item>`.
    fn tell(&self, options: &Options) -> Vec<String>;
    /// Those of [`options`], with and without.
    fn options(&self, with: bool) -> Options;
    /// Nothing in it.
    fn empty(&self) -> (String, Vec<u8>, Vec<String>, BTreeMap<String, u32>);
    /// How many bytes of each kind there are: those of the text, and the list's.
    fn measure(&self, text: &str, bytes: &[u8]) -> (u64, u64);
    /// `text`, `times` times.
    fn repeat(&self, text: &str, times: u32) -> String;
    /// As many bytes, each 255.
    fn fill(&self, count: u32) -> Vec<u8>;
    /// The arguments, in their order.
    #[allow(clippy::too_many_arguments)] // that is what it is for
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
    ) -> Many;
}

/// See [`Written::extremes`].
#[must_use]
pub fn extremes() -> Extremes {
    Extremes {
        int8: (i8::MIN, i8::MAX),
        int16: (i16::MIN, i16::MAX),
        int32: (i32::MIN, i32::MAX),
        int64: (i64::MIN, i64::MAX),
        nat8: u8::MAX,
        nat16: u16::MAX,
        nat32: u32::MAX,
        nat64: u64::MAX,
        inexact: (-9_007_199_254_740_993, 9_007_199_254_740_993),
        beyond: 9_223_372_036_854_775_808,
        infinite: (f64::NEG_INFINITY, f64::INFINITY),
        finite: (f64::MAX, f32::MAX, f64::from_bits(1)),
        letter: '\u{10ffff}',
        text: "Grüße, 世界 🦀 e\u{301} \0!".to_owned(),
        bytes: vec![0, 127, 128, 255],
    }
}

/// See [`Written::order`].
#[must_use]
pub fn order() -> Order {
    let item = |name: &str, count, price| Item { name: name.to_owned(), count, price };
    Order {
        id: u64::MAX,
        customer: "Ångström & Söhne".to_owned(),
        items: vec![item("ink", 2, 1.25), item("paper", 500, 0.01), item("pen", 1, 3.0), item("", 0, 0.0)],
        note: None,
        colour: Colour::Green,
        shape: Shape::Dot(3),
        stock: [("ink".to_owned(), 7), ("paper".to_owned(), 0)].into(),
        size: (3, "A4".to_owned()),
    }
}

/// See [`Written::shapes`].
#[must_use]
pub fn shapes() -> Vec<Shape> {
    use crate::types::Point;
    vec![
        Shape::Empty,
        Shape::Dot(3),
        Shape::Line(Point { x: 0.0, y: 1.0 }, Point { x: 2.0, y: 3.0 }),
        Shape::Circle { centre: Point { x: 0.0, y: 1.0 }, radius: 2.0 },
        Shape::Named { name: "flag".to_owned(), tags: vec!["a".to_owned(), "b".to_owned()], colour: Colour::Red },
        Shape::Inside(None),
        Shape::Inside(Some(Box::new(Shape::Inside(Some(Box::new(Shape::Empty)))))),
    ]
}

/// What [`Written::spell`] says of [`shapes`].
pub const SPELT: [&str; 7] =
    ["empty", "dot 3", "line 0 1 2 3", "circle 0 1 2", "flag a,b Red", "inside nothing", "inside inside empty"];

/// See [`Written::options`].
#[must_use]
pub fn options(with: bool) -> Options {
    let item = || Box::new(Item { name: "ink".to_owned(), count: 1, price: 0.5 });
    Options {
        plain: with.then_some(5),
        nested: Some(with.then_some(5)),
        in_list: vec![None, with.then(|| "a".to_owned()), None],
        in_tuple: (with.then_some(false), 7),
        in_map: [("a".to_owned(), None), ("b".to_owned(), with.then_some(5))].into(),
        boxed: with.then(item),
    }
}

/// What [`Written::tell`] says of those.
#[must_use]
pub fn told(with: bool) -> [&'static str; 6] {
    if with {
        ["plain=5", "nested=some 5", "in_list=none,a,none", "in_tuple=false 7", "in_map=a:none,b:5", "boxed=ink"]
    } else {
        [
            "plain=none",
            "nested=some none",
            "in_list=none,none,none",
            "in_tuple=none 7",
            "in_map=a:none,b:none",
            "boxed=none",
        ]
    }
}

/// A record as a declared error.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Problem {
    pub code: i64,
    pub text: String,
}

/// For a plugin whose methods fail.
#[polyplug::contract(name = "test.failing", version = "1.0")]
pub trait Failing {
    /// `closed`, `full`, with a capacity of 7, `other`, of `why` and `i64::MIN`; anything else is fine: 1.
    fn variant(&self, which: &str) -> Result<u32, Refusal>;
    /// Blue.
    fn case(&self) -> Result<String, Colour>;
    /// Code `i64::MAX`, text `no`.
    fn record(&self) -> Result<u32, Problem>;
    /// `no: 5`.
    fn text(&self) -> Result<u32, String>;
    /// `u64::MAX`.
    fn number(&self) -> Result<String, u64>;
    /// `a` and `b`.
    fn list(&self) -> Result<(), Vec<String>>;
    /// 5 and no text.
    fn tuple(&self) -> Result<(), (u8, Option<String>)>;
    /// An exception that says `words`, from a function that the method calls.
    fn throw(&self, words: &str) -> String;
    /// The same, though the method declares an error.
    fn raise_instead(&self, words: &str) -> Result<u32, Refusal>;
    /// An exception that says `words`, and nothing to return.
    fn raise_nothing(&self, words: &str);
    /// Nothing is wrong.
    fn calm(&self, number: u32) -> u32;
}

/// For a plugin that returns what it should not, in a language that lets it.
#[polyplug::contract(name = "test.wrong", version = "1.0")]
pub trait Wrong {
    /// The order of [`order`] with something wrong in it.
    fn order(&self, what: &str) -> Order;
    fn boolean(&self, what: &str) -> bool;
    fn int8(&self, what: &str) -> i8;
    fn nat32(&self, what: &str) -> u32;
    fn int64(&self, what: &str) -> i64;
    fn nat64(&self, what: &str) -> u64;
    fn float32(&self, what: &str) -> f32;
    fn letter(&self, what: &str) -> char;
    fn text(&self, what: &str) -> String;
    fn bytes(&self, what: &str) -> Vec<u8>;
    fn nothing(&self, what: &str);
    fn shape(&self, what: &str) -> Shape;
    fn failure(&self, what: &str) -> Result<u32, Refusal>;
    /// Raises a value that is no text, and declares no error.
    fn undeclared(&self) -> u32;
    /// Calls itself without end.
    fn recurse(&self) -> u32;
    /// A tree that contains itself.
    fn cyclic(&self) -> Tree;
    /// Gives the host contract `test.radio` a `number` in place of an object, or one that lacks its `method`, or one whose
    /// method returns a wrong `result`; what it gets told.
    fn tune(&self, what: &str) -> String;
    /// Gives the host contract `test.mirror` an argument with something wrong in it, or `few` arguments, or `many`; what it
    /// gets told.
    fn argument(&self, what: &str) -> String;
    fn calm(&self, number: u32) -> u32;
}

/// Implemented by the host.
#[polyplug::contract(name = "test.mirror", version = "1.0")]
pub trait Mirror {
    /// What it is given.
    fn order(&self, order: Order) -> Order;
    /// What it is given.
    fn extremes(&self, value: Extremes) -> Extremes;
    /// The arguments, in their order.
    #[allow(clippy::too_many_arguments)] // that is what it is for
    fn many(&self, a: u8, b: String, c: bool, d: i64, e: f64, f: char, g: Option<u8>, h: u64, i: Colour)
    -> Vec<String>;
    /// What it is given, as an error where it is one.
    fn shape(&self, shape: Result<Shape, Refusal>) -> Result<Shape, Refusal>;
}

/// For a plugin that reads its settings as it starts.
#[polyplug::contract(name = "test.reading", version = "1.0")]
pub trait Reading {
    /// `title`.
    fn title(&self) -> String;
    /// `limits.lines` and `limits.share`.
    fn limits(&self) -> (i64, f64);
    /// `words`.
    fn words(&self) -> Vec<String>;
    /// Whether `verbose` is set, and true.
    fn verbose(&self) -> bool;
    /// The bundle's name.
    fn bundle(&self) -> String;
}

/// For a plugin that calls its host and others. Errors of calls are told as text.
#[polyplug::contract(name = "test.reaching", version = "1.0")]
pub trait Reaching {
    /// Logs through the host contract `test.logger@1`.
    fn log(&self, line: &str) -> Result<u32, String>;
    /// Has the host panic, and goes on.
    fn host_panics(&self, words: &str) -> Result<(), String>;
    /// The same, and does not catch the exception.
    fn host_panics_through(&self, words: &str);
    /// Hands values to the host's mirror; whether they came back as they were.
    fn mirrored(&self) -> Vec<bool>;
    /// What the mirror makes of 1, `zwei`, true, `i64::MIN`, 5.5, `6`, none, `u64::MAX`, and blue.
    fn many(&self) -> Vec<String>;
    /// The error that the mirror declares, as it was caught: `full 7`.
    fn refused(&self) -> String;
    /// Adds with the peer `demo.calculator@1`.
    fn add(&self, a: i32, b: i32) -> Result<i32, String>;
    /// The same, through a proxy that is kept from the first time.
    fn add_again(&self, a: i32, b: i32) -> Result<i32, String>;
    /// Divides with it. The error that it declares is told as `DivisionByZero` or `Overflow <at>`.
    fn divide(&self, a: i64, b: i64) -> Result<i64, String>;
    /// Looks for the peer `test.stamp@1`.
    fn undeclared(&self) -> Result<u32, String>;
    /// Calls the host's `test.echo@1`, which calls this again, until `depth` is 0; how deep it went.
    fn nested(&self, depth: u32) -> Result<u32, String>;
}

/// Implemented by whoever wants to be told.
#[polyplug::contract(name = "test.listener", version = "1.0")]
pub trait Listener {
    /// Something was said; how much that is.
    fn hear(&self, words: &str) -> Result<u32, String>;
}

/// Implemented by the host, which calls plugins back.
#[polyplug::contract(name = "test.radio", version = "1.0")]
pub trait Radio {
    /// Says `words` at once; what the listener answers.
    fn play(&self, words: &str, listener: &dyn Listener) -> Result<u32, String>;
    /// Keeps the listener.
    fn tune(&self, listener: Callback<dyn Listener>);
}

/// For a plugin that calls objects, and gives some of its own. Errors of calls are told as text.
#[polyplug::contract(name = "test.objects", version = "1.0")]
pub trait Objects {
    /// Does `steps`, telling `progress` of each, until it says no; how many were done.
    fn work(&self, steps: u32, progress: &dyn Progress) -> u32;
    /// Has both note `text`; the answers and declared errors, as they were caught: `3` or `no: text`.
    fn notes(&self, text: &str, first: &dyn Progress, second: &dyn Progress) -> Vec<String>;
    /// Has the object panic.
    fn provoke(&self, progress: &dyn Progress);
    /// Has the object panic, and tells what that was.
    fn catch(&self, progress: &dyn Progress) -> String;
    /// Keeps an object that is for keeps; how many there are.
    fn keep(&self, progress: Callback<dyn Progress>) -> u32;
    /// Calls all that are kept; what each answered, or why not.
    fn tell_all(&self, label: &str) -> Vec<Result<bool, String>>;
    /// Gives up all that are kept.
    fn forget(&self);
    /// Gives an object of its own to the provider of this contract in another bundle, which keeps it. The object says yes
    /// to the label `planted`.
    fn plant(&self) -> Result<u32, String>;
    /// Lends an object of its own to that provider, for so many steps; what it answers. The object says yes twice.
    fn lend(&self, steps: u32) -> Result<u32, String>;
    /// Hands an object on to that provider.
    fn pass_on(&self, steps: u32, progress: &dyn Progress) -> Result<u32, String>;
    /// Lends a listener to the host's radio, which answers with the number of bytes of what it hears, or declares an
    /// error if that is nothing: `silence`.
    fn listen(&self, words: &str) -> Result<u32, String>;
    /// Has the radio keep a listener, which counts what it hears. It raises an exception, `too loud`, at `!`.
    fn subscribe(&self);
    /// How often that heard something.
    fn heard(&self) -> u32;
}

/// For a plugin that keeps an object which was lent to it for a call, in a language that lets it.
#[polyplug::contract(name = "test.clinging", version = "1.0")]
pub trait Clinging {
    /// Keeps it.
    fn cling(&self, progress: &dyn Progress) -> bool;
    /// Calls it later; why that fails.
    fn later(&self) -> String;
    /// Gives it to the peer `test.objects`, to be kept; why that fails.
    fn entrust(&self, progress: &dyn Progress) -> String;
    /// Gives it to the host contract `test.radio`, which wants an object of another contract; why that fails.
    fn mistake(&self, progress: Callback<dyn Progress>) -> String;
}

/// For a plugin in a file that loads others of its bundle.
#[polyplug::contract(name = "test.modules", version = "1.0")]
pub trait Modules {
    /// A greeting that another file makes, with help of one in a folder.
    fn greet(&self, name: &str) -> String;
    /// Loads the module called `name`; why that fails, or nothing.
    fn load(&self, name: &str) -> Option<String>;
}
