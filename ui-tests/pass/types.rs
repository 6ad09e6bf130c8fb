//! Every way of writing a type that crosses, there and back.

#![deny(warnings)]
#![allow(unused_parens)]

use std::collections::{BTreeMap, HashMap};

#[polyplug::contract(name = "pass.types", version = "1.0")]
trait Types {
    fn plain(&self, value: Plain, list: &[Plain]) -> Vec<Plain>;
    fn reordered(&self, value: &Reordered, list: &[Reordered]) -> Vec<Reordered>;
    fn mixed(&self, value: Mixed) -> Mixed;
    fn tuple(&self, value: Tuple) -> Tuple;
    fn tree(&self, value: &Tree) -> Tree;
    fn colour(&self, value: Colour) -> Colour;
    fn shape(&self, value: &Shape) -> Shape;
    fn nested(&self, value: Vec<Option<Result<(i32, String), Shape>>>) -> Vec<Option<Result<(i32, String), Shape>>>;
    fn maps(&self, a: HashMap<String, Vec<Shape>>, b: &BTreeMap<i64, Colour>) -> (HashMap<String, Vec<Shape>>, BTreeMap<i64, Colour>);
    fn parenthesised(&self, a: (i32), b: (&str), c: &(String)) -> (String);
    fn unit(&self) -> Result<(), ()>;
}

#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
#[repr(C)]
struct Plain {
    x: f64,
    y: f64,
}

// Rust may order the fields as it likes.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
struct Reordered {
    a: u8,
    b: u64,
    c: u16,
    d: u32,
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Mixed {
    flag: bool,
    letter: char,
    name: String,
    bytes: Vec<u8>,
    maybe: Option<u16>,
    inner: (Plain, Colour),
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Tuple(u8, String, Option<Box<Tuple>>);

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Tree {
    branches: Vec<Self>,
    other: Option<Box<Forest>>,
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
enum Forest {
    Empty,
    Trees(Vec<Tree>),
    Mixed { forests: Vec<(u8, Option<Box<Self>>)> },
}

#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
enum Colour {
    Red,
    Green(),
    Blue {},
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
enum Shape {
    Nothing,
    Empty(),
    Braces {},
    Point(Plain),
    Pair(u8, u64),
    Named { name: String, colour: Colour },
    Deep(Box<Shape>),
}

#[derive(Default)]
struct Echo;

#[polyplug::plugin]
impl Types for Echo {
    fn plain(&self, value: Plain, list: &[Plain]) -> Vec<Plain> {
        list.iter().copied().chain([value]).collect()
    }
    fn reordered(&self, value: &Reordered, list: &[Reordered]) -> Vec<Reordered> {
        list.iter().copied().chain([*value]).collect()
    }
    fn mixed(&self, value: Mixed) -> Mixed {
        value
    }
    fn tuple(&self, value: Tuple) -> Tuple {
        value
    }
    fn tree(&self, value: &Tree) -> Tree {
        value.clone()
    }
    fn colour(&self, value: Colour) -> Colour {
        value
    }
    fn shape(&self, value: &Shape) -> Shape {
        value.clone()
    }
    fn nested(&self, value: Vec<Option<Result<(i32, String), Shape>>>) -> Vec<Option<Result<(i32, String), Shape>>> {
        value
    }
    fn maps(&self, a: HashMap<String, Vec<Shape>>, b: &BTreeMap<i64, Colour>) -> (HashMap<String, Vec<Shape>>, BTreeMap<i64, Colour>) {
        (a, b.clone())
    }
    fn parenthesised(&self, a: i32, b: &str, c: &String) -> String {
        format!("{a}{b}{c}")
    }
    fn unit(&self) -> Result<(), ()> {
        Ok(())
    }
}

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let types = runtime.proxy::<dyn Types>().unwrap();

    let plain = Plain { x: 1.0, y: 2.0 };
    assert_eq!(types.plain(plain, &[plain; 2]).unwrap(), [plain; 3]);
    let reordered = Reordered { a: 1, b: 2, c: 3, d: 4 };
    assert_eq!(types.reordered(&reordered, &[reordered; 3]).unwrap(), [reordered; 4]);
    let mixed = Mixed {
        flag: true,
        letter: 'ß',
        name: "name".into(),
        bytes: vec![1, 2],
        maybe: Some(3),
        inner: (plain, Colour::Blue {}),
    };
    assert_eq!(types.mixed(mixed.clone()).unwrap(), mixed);
    let tuple = Tuple(1, "one".into(), Some(Box::new(Tuple(2, "two".into(), None))));
    assert_eq!(types.tuple(tuple.clone()).unwrap(), tuple);
    let leaf = Tree { branches: vec![], other: Some(Box::new(Forest::Empty)) };
    let mixed = Forest::Mixed { forests: vec![(1, Some(Box::new(Forest::Empty))), (2, None)] };
    let tree = Tree { branches: vec![leaf.clone(), leaf.clone()], other: Some(Box::new(mixed)) };
    assert_eq!(types.tree(&tree).unwrap(), tree);
    let tree = Tree { branches: vec![leaf.clone(), leaf.clone()], other: Some(Box::new(Forest::Trees(vec![leaf]))) };
    assert_eq!(types.tree(&tree).unwrap(), tree);
    for colour in [Colour::Red, Colour::Green(), Colour::Blue {}] {
        assert_eq!(types.colour(colour).unwrap(), colour);
    }
    let shapes = [
        Shape::Nothing,
        Shape::Empty(),
        Shape::Braces {},
        Shape::Point(plain),
        Shape::Pair(1, 2),
        Shape::Named { name: "x".into(), colour: Colour::Green() },
        Shape::Deep(Box::new(Shape::Pair(3, 4))),
    ];
    for shape in &shapes {
        assert_eq!(types.shape(shape).unwrap(), *shape);
    }
    let nested: Vec<_> = shapes.iter().map(|shape| Some(Err(shape.clone()))).chain([None, Some(Ok((1, "a".into())))]).collect();
    assert_eq!(types.nested(nested.clone()).unwrap(), nested);
    let a = HashMap::from([("all".to_owned(), shapes.to_vec())]);
    let b = BTreeMap::from([(-1, Colour::Red)]);
    assert_eq!(types.maps(a.clone(), &b).unwrap(), (a, b));
    assert_eq!(types.parenthesised(1, "2", &"3".to_owned()).unwrap(), "123");
    assert_eq!(types.unit().unwrap(), Ok(()));
}
