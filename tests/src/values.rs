//! Values of every type that crosses, and the same values as a [`Value`], written without polyplug's own conversion.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::hash::Hash;

use polyplug::Value;
use test_contracts::types::{
    Chain, Colour, Document, Family, Folder, Mixed, Nested, Onion, Pair, Pixel, Point, Refusal, Shape, Tree, Wrapper,
    chain, onion, tree,
};

/// A type of which tests can make values.
pub trait Sample: Sized + Clone + Debug {
    /// Returns values: empty ones, extreme ones, ordinary ones.
    fn samples() -> Vec<Self>;

    /// Returns the value as a [`Value`], which has its type at run time.
    fn value(&self) -> Value;

    /// Returns a list of values.
    #[must_use]
    fn list(items: &[Self]) -> Value {
        Value::List(items.iter().map(Self::value).collect())
    }
}

/// Returns whether two values are the same. A NaN is the same as itself, and the entries of maps have no order.
#[must_use]
pub fn same(one: &Value, other: &Value) -> bool {
    format!("{:?}", sorted(one)) == format!("{:?}", sorted(other))
}

fn sorted(value: &Value) -> Value {
    let fields =
        |fields: &[(String, Value)]| fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
    let boxed = |value: &Value| Box::new(sorted(value));
    match value {
        Value::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (sorted(key), sorted(value))).collect();
            entries.sort_by_key(|(key, _)| key.to_string());
            Value::Map(entries)
        }
        Value::List(items) => Value::List(items.iter().map(sorted).collect()),
        Value::Tuple(parts) => Value::Tuple(parts.iter().map(sorted).collect()),
        Value::Option(Some(value)) => Value::Option(Some(boxed(value))),
        Value::Record(record) => Value::Record(fields(record)),
        Value::Variant { case, fields: parts } => Value::Variant { case: case.clone(), fields: fields(parts) },
        Value::Result(Ok(value)) => Value::Result(Ok(boxed(value))),
        Value::Result(Err(value)) => Value::Result(Err(boxed(value))),
        other => other.clone(),
    }
}

macro_rules! scalar {
    ($($ty:ty: $($sample:expr),*;)*) => {$(
        impl Sample for $ty {
            fn samples() -> Vec<Self> {
                vec![$($sample),*]
            }

            fn value(&self) -> Value {
                Value::from(self.clone())
            }
        }
    )*};
}

scalar! {
    (): ();
    bool: true, false;
    i8: 0, 1, -1, i8::MIN, i8::MAX;
    i16: 0, 1, -1, i16::MIN, i16::MAX;
    i32: 0, 1, -1, i32::MIN, i32::MAX;
    i64: 0, 1, -1, i64::MIN, i64::MAX;
    u16: 0, 1, u16::MAX;
    u32: 0, 1, u32::MAX;
    u64: 0, 1, u64::MAX, 1 << 53, (1 << 53) + 1;
    f32: 0.0, -0.0, 0.1, f32::MIN, f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1), f32::INFINITY, f32::NEG_INFINITY, f32::NAN;
    f64: 0.0, -0.0, 0.1, f64::MIN, f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1), f64::INFINITY, f64::NEG_INFINITY, f64::NAN;
    char: '\0', 'a', 'ß', '€', '\u{d7ff}', '\u{e000}', '🦀', char::MAX;
    String: String::new(), "plain".into(), "nul \0 inside".into(), "Grüße, 世界 🦀 \u{feff}e\u{301}\r\n\"'\\".into(), "long ".repeat(2000);
}

impl Sample for u8 {
    fn samples() -> Vec<Self> {
        vec![0, 1, 127, 128, u8::MAX]
    }

    fn value(&self) -> Value {
        Value::U8(*self)
    }

    fn list(items: &[Self]) -> Value {
        Value::Bytes(items.to_vec())
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn samples() -> Vec<Self> {
        let all = T::samples();
        vec![Vec::new(), all[..1].to_vec(), all.iter().rev().cloned().collect(), all]
    }

    fn value(&self) -> Value {
        T::list(self)
    }
}

impl<T: Sample> Sample for Option<T> {
    fn samples() -> Vec<Self> {
        std::iter::once(None).chain(T::samples().into_iter().map(Some)).collect()
    }

    fn value(&self) -> Value {
        Value::Option(self.as_ref().map(|value| Box::new(value.value())))
    }
}

impl<T: Sample> Sample for Box<T> {
    fn samples() -> Vec<Self> {
        T::samples().into_iter().map(Box::new).collect()
    }

    fn value(&self) -> Value {
        (**self).value()
    }
}

impl<T: Sample, E: Sample> Sample for Result<T, E> {
    fn samples() -> Vec<Self> {
        T::samples().into_iter().map(Ok).chain(E::samples().into_iter().map(Err)).collect()
    }

    fn value(&self) -> Value {
        Value::Result(match self {
            Ok(value) => Ok(Box::new(value.value())),
            Err(error) => Err(Box::new(error.value())),
        })
    }
}

/// Makes as many values as the longest list has; the shorter lists start over.
macro_rules! in_step {
    ($make:expr; $($name:ident: $ty:ty),*) => {{
        $(let $name = <$ty as Sample>::samples();)*
        let count = [$($name.len()),*].into_iter().max().unwrap_or(0);
        (0..count).map(|i| { $(let $name = $name[i % $name.len()].clone();)* $make }).collect()
    }};
}

macro_rules! tuple {
    ($($name:ident: $ty:ident),*) => {
        #[allow(non_snake_case)]
        impl<$($ty: Sample),*> Sample for ($($ty,)*) {
            fn samples() -> Vec<Self> {
                in_step!(($($name,)*); $($name: $ty),*)
            }

            fn value(&self) -> Value {
                let ($($name,)*) = self;
                Value::Tuple(vec![$($name.value()),*])
            }
        }
    };
}

tuple!(a: A);
tuple!(a: A, b: B);
tuple!(a: A, b: B, c: C);
tuple!(a: A, b: B, c: C, d: D);
tuple!(a: A, b: B, c: C, d: D, e: E);
tuple!(a: A, b: B, c: C, d: D, e: E, f: F);
tuple!(a: A, b: B, c: C, d: D, e: E, f: F, g: G);
tuple!(a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H);

macro_rules! map {
    ($map:ident: $($bound:ident)+) => {
        impl<K: Sample + $($bound +)+, V: Sample> Sample for $map<K, V> {
            fn samples() -> Vec<Self> {
                let values = V::samples();
                let whole: Self = K::samples().into_iter().zip(values.into_iter().cycle()).collect();
                let one = whole.iter().next().map(|(key, value)| (key.clone(), value.clone()));
                vec![Self::new(), one.into_iter().collect(), whole]
            }

            fn value(&self) -> Value {
                Value::Map(self.iter().map(|(key, value)| (key.value(), value.value())).collect())
            }
        }
    };
}

map!(HashMap: Eq Hash);
map!(BTreeMap: Ord);

macro_rules! record {
    ($($name:ident { $($field:ident: $ty:ty),* })*) => {$(
        impl Sample for $name {
            fn samples() -> Vec<Self> {
                in_step!($name { $($field),* }; $($field: $ty),*)
            }

            fn value(&self) -> Value {
                Value::record([$((stringify!($field), self.$field.value())),*])
            }
        }
    )*};
}

record! {
    Point { x: f64, y: f64 }
    Pixel { red: u8, green: u8, blue: u8 }
    Mixed { flag: bool, number: i64, small: u8, letter: char, text: String, bytes: Vec<u8>, last: u16 }
    Nested {
        mixed: Mixed, points: Vec<Point>, maybe: Option<Pair>, tuple: (Pixel, Wrapper), by_name: BTreeMap<String, Point>,
        boxed: Box<Pair>, outcome: Result<Point, Wrapper>, shape: Shape, nothing: ()
    }
}

impl Sample for Wrapper {
    fn samples() -> Vec<Self> {
        String::samples().into_iter().map(Self).collect()
    }

    fn value(&self) -> Value {
        Value::record([("0", self.0.value())])
    }
}

impl Sample for Pair {
    fn samples() -> Vec<Self> {
        in_step!(Self(a, b); a: u8, b: u64)
    }

    fn value(&self) -> Value {
        Value::record([("0", self.0.value()), ("1", self.1.value())])
    }
}

impl Sample for Colour {
    fn samples() -> Vec<Self> {
        vec![Self::Red, Self::Green, Self::Blue]
    }

    fn value(&self) -> Value {
        Value::Enum(format!("{self:?}"))
    }
}

impl Sample for Shape {
    fn samples() -> Vec<Self> {
        let point = Point { x: 1.5, y: f64::NEG_INFINITY };
        let named =
            Self::Named { name: "größer".into(), tags: vec![String::new(), "b".into()], colour: Colour::Blue };
        vec![
            Self::Empty,
            Self::Dot(255),
            Self::Line(point, Point { x: -0.0, y: 2.0 }),
            Self::Circle { centre: point, radius: 1e300 },
            Self::Inside(None),
            Self::Inside(Some(Box::new(Self::Inside(Some(Box::new(named.clone())))))),
            named,
        ]
    }

    fn value(&self) -> Value {
        match self {
            Self::Empty => Value::variant::<&str>("Empty", []),
            Self::Dot(size) => Value::variant("Dot", [("0", size.value())]),
            Self::Line(from, to) => Value::variant("Line", [("0", from.value()), ("1", to.value())]),
            Self::Circle { centre, radius } => {
                Value::variant("Circle", [("centre", centre.value()), ("radius", radius.value())])
            }
            Self::Named { name, tags, colour } => {
                Value::variant("Named", [("name", name.value()), ("tags", tags.value()), ("colour", colour.value())])
            }
            Self::Inside(shape) => Value::variant("Inside", [("0", shape.value())]),
        }
    }
}

impl Sample for Refusal {
    fn samples() -> Vec<Self> {
        vec![Self::Closed, Self::Full { capacity: u32::MAX }, Self::Other("why".into(), -1)]
    }

    fn value(&self) -> Value {
        match self {
            Self::Closed => Value::variant::<&str>("Closed", []),
            Self::Full { capacity } => Value::variant("Full", [("capacity", capacity.value())]),
            Self::Other(text, code) => Value::variant("Other", [("0", text.value()), ("1", code.value())]),
        }
    }
}

impl Sample for Tree {
    fn samples() -> Vec<Self> {
        let wide = Self { value: 7, children: (0..3).map(tree).collect() };
        vec![tree(1), tree(5), wide]
    }

    fn value(&self) -> Value {
        Value::record([("value", self.value.value()), ("children", self.children.value())])
    }
}

impl Sample for Chain {
    fn samples() -> Vec<Self> {
        vec![chain(1), chain(2), chain(20)]
    }

    fn value(&self) -> Value {
        Value::record([("number", self.number.value()), ("next", self.next.value())])
    }
}

impl Sample for Folder {
    fn samples() -> Vec<Self> {
        let empty = |size| Self { size, folders: BTreeMap::new(), versions: HashMap::new() };
        let one = Self { folders: [("größe".into(), empty(1)), (String::new(), empty(2))].into(), ..empty(3) };
        let two = Self {
            folders: [("one".into(), one.clone())].into(),
            versions: [(1, one.clone()), (2, empty(4))].into(),
            ..empty(255)
        };
        vec![empty(0), one, two]
    }

    fn value(&self) -> Value {
        Value::record([
            ("size", self.size.value()),
            ("folders", self.folders.value()),
            ("versions", self.versions.value()),
        ])
    }
}

impl Sample for Onion {
    fn samples() -> Vec<Self> {
        vec![onion(1, true), onion(7, false)]
    }

    fn value(&self) -> Value {
        Value::record([("rings", self.rings.value()), ("skin", self.skin.value()), ("inside", self.inside.value())])
    }
}

impl Sample for Family {
    fn samples() -> Vec<Self> {
        let alone = |name: &str| Self { name: name.into(), pairs: vec![], maybe: vec![], outcomes: vec![] };
        let one = Self { pairs: vec![(1, alone("a")), (255, alone("b"))], ..alone("one") };
        let two = Self { maybe: vec![None, Some(one.clone()), None], ..alone("two") };
        let three = Self {
            outcomes: vec![Err(9), Ok(two.clone()), Ok(alone("c"))],
            pairs: vec![(0, one.clone())],
            ..two.clone()
        };
        vec![alone(""), one, two, three]
    }

    fn value(&self) -> Value {
        Value::record([
            ("name", self.name.value()),
            ("pairs", self.pairs.value()),
            ("maybe", self.maybe.value()),
            ("outcomes", self.outcomes.value()),
        ])
    }
}

impl Sample for Document {
    fn samples() -> Vec<Self> {
        let list = Self::List(vec![Self::Null, Self::Flag(true), Self::Number(-0.5), Self::Text("text".into())]);
        let object = Self::Object([("list".into(), list.clone()), (String::new(), Self::Null)].into());
        let both = Self::List(vec![object.clone(), Self::List(vec![]), Self::Object(BTreeMap::new())]);
        vec![Self::Null, Self::Flag(false), Self::Number(1e9), Self::Text(String::new()), list, object, both]
    }

    fn value(&self) -> Value {
        let (case, value) = match self {
            Self::Null => return Value::variant::<&str>("Null", []),
            Self::Flag(flag) => ("Flag", flag.value()),
            Self::Number(number) => ("Number", number.value()),
            Self::Text(text) => ("Text", text.value()),
            Self::List(items) => ("List", items.value()),
            Self::Object(members) => ("Object", members.value()),
        };
        Value::variant(case, [("0", value)])
    }
}
