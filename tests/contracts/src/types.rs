//! Contracts with every type that crosses.

#![allow(missing_docs)] // the names say what there is to say
// What authors may write is written here, the unusual as well.
#![allow(clippy::ptr_arg, clippy::borrowed_box, clippy::result_unit_err, clippy::result_large_err)]

use std::collections::{BTreeMap, HashMap};

use polyplug::Type;

/// Plain: the same in Rust as in canonical memory.
#[derive(Debug, Clone, Copy, PartialEq, Type)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// Plain, of an odd size.
#[derive(Debug, Clone, Copy, PartialEq, Type)]
pub struct Pixel {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
}

/// Fields that Rust is free to order differently.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Mixed {
    pub flag: bool,
    pub number: i64,
    pub small: u8,
    pub letter: char,
    pub text: String,
    pub bytes: Vec<u8>,
    pub last: u16,
}

#[derive(Debug, Clone, PartialEq, Type)]
pub struct Wrapper(pub String);

#[derive(Debug, Clone, PartialEq, Type)]
pub struct Pair(pub u8, pub u64);

/// Records in a record, behind everything they can be behind.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Nested {
    pub mixed: Mixed,
    pub points: Vec<Point>,
    pub maybe: Option<Pair>,
    pub tuple: (Pixel, Wrapper),
    pub by_name: BTreeMap<String, Point>,
    pub boxed: Box<Pair>,
    pub outcome: Result<Point, Wrapper>,
    pub shape: Shape,
    pub nothing: (),
}

/// The numbers in the source do not matter.
#[derive(Debug, Clone, Copy, PartialEq, Type)]
pub enum Colour {
    Red = 10,
    Green = 5,
    Blue = -1,
}

#[derive(Debug, Clone, PartialEq, Type)]
pub enum Shape {
    Empty,
    Dot(u8),
    Line(Point, Point),
    Circle { centre: Point, radius: f64 },
    Named { name: String, tags: Vec<String>, colour: Colour },
    Inside(Option<Box<Shape>>),
}

/// Contains itself through a list.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Tree {
    pub value: i32,
    pub children: Vec<Tree>,
}

/// Contains itself through a box.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Chain {
    pub number: u64,
    pub next: Option<Box<Chain>>,
}

/// Contains itself through maps.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Folder {
    pub size: u8,
    pub folders: BTreeMap<String, Folder>,
    pub versions: HashMap<u16, Folder>,
}

/// Contains itself through lists, in whatever a list may hold.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Family {
    pub name: String,
    pub pairs: Vec<(u8, Family)>,
    pub maybe: Vec<Option<Family>>,
    pub outcomes: Vec<Result<Family, u8>>,
}

/// A variant that contains itself, as for a document.
#[derive(Debug, Clone, PartialEq, Type)]
pub enum Document {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Document>),
    Object(BTreeMap<String, Document>),
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Type)]
pub enum Refusal {
    Closed,
    Full { capacity: u32 },
    Other(String, i64),
}

/// Calls the macro `$with` with a name and a type for each method of [`Types`].
#[macro_export]
macro_rules! each_type {
    ($with:ident) => {
        $with! {
            boolean: bool,
            int8: i8, int16: i16, int32: i32, int64: i64,
            nat8: u8, nat16: u16, nat32: u32, nat64: u64,
            float32: f32, float64: f64,
            letter: char,
            text: String,
            bytes: Vec<u8>,

            list_boolean: Vec<bool>,
            list_int8: Vec<i8>, list_int16: Vec<i16>, list_int32: Vec<i32>, list_int64: Vec<i64>,
            list_nat16: Vec<u16>, list_nat32: Vec<u32>, list_nat64: Vec<u64>,
            list_float32: Vec<f32>, list_float64: Vec<f64>,
            list_letter: Vec<char>,
            list_text: Vec<String>,
            list_bytes: Vec<Vec<u8>>,
            list_list: Vec<Vec<Vec<i32>>>,
            list_point: Vec<Point>,
            list_pixel: Vec<Pixel>,
            list_mixed: Vec<Mixed>,
            list_pair: Vec<Pair>,
            list_nested: Vec<Nested>,
            list_colour: Vec<Colour>,
            list_shape: Vec<Shape>,
            list_option: Vec<Option<i64>>,
            list_box: Vec<Box<Point>>,
            list_option_box: Vec<Option<Box<Point>>>,
            list_tuple: Vec<(u8, String)>,
            list_plain_tuple: Vec<(u32, f32)>,
            list_map: Vec<BTreeMap<u8, String>>,
            list_result: Vec<Result<(), Refusal>>,

            option_unit: Option<()>,
            option_boolean: Option<bool>,
            option_int8: Option<i8>, option_int16: Option<i16>, option_int32: Option<i32>, option_int64: Option<i64>,
            option_nat8: Option<u8>, option_nat16: Option<u16>, option_nat32: Option<u32>, option_nat64: Option<u64>,
            option_float32: Option<f32>, option_float64: Option<f64>,
            option_letter: Option<char>,
            option_text: Option<String>,
            option_bytes: Option<Vec<u8>>,
            option_list: Option<Vec<String>>,
            option_point: Option<Point>,
            option_mixed: Option<Mixed>,
            option_colour: Option<Colour>,
            option_shape: Option<Shape>,
            option_tuple: Option<(i8, i64)>,
            option_map: Option<HashMap<String, i32>>,
            option_result: Option<Result<i32, String>>,
            option_option: Option<Option<i32>>,
            option_option_text: Option<Option<String>>,
            option_option_option: Option<Option<Option<bool>>>,
            option_box: Option<Box<Point>>,
            option_box_text: Option<Box<String>>,
            option_box_box: Option<Box<Box<u8>>>,
            option_option_box: Option<Option<Box<Point>>>,
            option_box_option: Option<Box<Option<u16>>>,
            boxed: Box<i64>,
            boxed_shape: Box<Shape>,

            tuple1: (String,),
            tuple2: (u8, u64),
            tuple3: (bool, String, i16),
            tuple4: (f32, Vec<u8>, char, u8),
            tuple5: (u8, u16, u32, u64, u8),
            tuple6: (Option<u8>, Point, Colour, Shape, String, i8),
            tuple7: (i8, i16, i32, i64, f32, f64, bool),
            tuple8: (u8, String, Vec<i32>, Option<String>, (u8, (u16, u8)), BTreeMap<char, u8>, Result<u8, String>, u64),

            hash_boolean: HashMap<bool, String>,
            hash_int8: HashMap<i8, u64>, hash_int16: HashMap<i16, u8>,
            hash_int32: HashMap<i32, Vec<u8>>, hash_int64: HashMap<i64, i64>,
            hash_nat8: HashMap<u8, Point>, hash_nat16: HashMap<u16, Mixed>,
            hash_nat32: HashMap<u32, Option<u64>>, hash_nat64: HashMap<u64, bool>,
            hash_letter: HashMap<char, char>,
            hash_text: HashMap<String, Shape>,
            tree_boolean: BTreeMap<bool, u8>,
            tree_int8: BTreeMap<i8, String>, tree_int16: BTreeMap<i16, i64>,
            tree_int32: BTreeMap<i32, Colour>, tree_int64: BTreeMap<i64, u8>,
            tree_nat8: BTreeMap<u8, (u8, u32)>, tree_nat16: BTreeMap<u16, Vec<String>>,
            tree_nat32: BTreeMap<u32, ()>, tree_nat64: BTreeMap<u64, Option<Box<Chain>>>,
            tree_letter: BTreeMap<char, Result<u8, u64>>,
            tree_text: BTreeMap<String, BTreeMap<String, u8>>,

            point: Point,
            pixel: Pixel,
            mixed: Mixed,
            wrapper: Wrapper,
            pair: Pair,
            nested: Nested,
            colour: Colour,
            shape: Shape,

            result_unit: Result<(), ()>,
            result_unit_text: Result<(), String>,
            result_number: Result<i64, Refusal>,
            result_small: Result<u8, u16>,
            result_record: Result<Mixed, Nested>,
            result_list: Result<Vec<Point>, Colour>,
            result_result: Result<Result<u8, String>, Option<u64>>,

            tree: Tree,
            chain: Chain,
            option_box_chain: Option<Box<Chain>>,
            folder: Folder,
            family: Family,
            document: Document,
        }
    };
}

macro_rules! declare {
    ($($name:ident: $ty:ty),* $(,)?) => {
        /// Each method returns what it is given.
        #[polyplug::contract(name = "test.types", version = "1.0")]
        pub trait Types {
            $(fn $name(&self, value: $ty) -> $ty;)*
        }
    };
}

each_type!(declare);

/// Arguments by reference. The methods return what they are lent, or where it lies.
#[polyplug::contract(name = "test.borrowed", version = "1.0")]
pub trait Borrowed {
    fn nothing(&self);
    fn text(&self, value: &str) -> String;
    fn owned_text(&self, value: &String) -> String;
    fn bytes(&self, value: &[u8]) -> Vec<u8>;
    fn owned_bytes(&self, value: &Vec<u8>) -> Vec<u8>;
    fn number(&self, value: &i32) -> i32;
    fn floats(&self, value: &[f64]) -> Vec<f64>;
    fn booleans(&self, value: &[bool]) -> Vec<bool>;
    fn letters(&self, value: &[char]) -> Vec<char>;
    fn texts(&self, value: &[String]) -> Vec<String>;
    fn lists(&self, value: &[Vec<i32>]) -> Vec<Vec<i32>>;
    fn points(&self, value: &[Point]) -> Vec<Point>;
    fn pairs(&self, value: &[Pair]) -> Vec<Pair>;
    fn colours(&self, value: &[Colour]) -> Vec<Colour>;
    fn shapes(&self, value: &[Shape]) -> Vec<Shape>;
    fn tuples(&self, value: &[(u8, u64)]) -> Vec<(u8, u64)>;
    fn options(&self, value: &[Option<String>]) -> Vec<Option<String>>;
    fn list(&self, value: &Vec<String>) -> Vec<String>;
    fn option(&self, value: &Option<String>) -> Option<String>;
    fn tuple(&self, value: &(i32, String)) -> (i32, String);
    fn map(&self, value: &HashMap<String, i32>) -> HashMap<String, i32>;
    fn record(&self, value: &Mixed) -> Mixed;
    fn colour(&self, value: &Colour) -> Colour;
    fn shape(&self, value: &Shape) -> Shape;
    fn tree(&self, value: &Tree) -> Tree;
    fn boxed(&self, value: &Box<Shape>) -> Box<Shape>;

    /// Many arguments of all kinds.
    #[allow(clippy::too_many_arguments)]
    fn many(
        &self,
        a: u8,
        b: &str,
        c: Option<f32>,
        d: &[i16],
        e: char,
        f: Point,
        g: &Shape,
        h: u64,
    ) -> (u8, String, Option<f32>, Vec<i16>, char, Point, Shape, u64);

    fn address_of_text(&self, value: &str) -> u64;
    fn address_of_bytes(&self, value: &[u8]) -> u64;
    fn address_of_floats(&self, value: &[f64]) -> u64;
    fn address_of_points(&self, value: &[Point]) -> u64;
    fn address_of_pixels(&self, value: &[Pixel]) -> u64;
    fn address_of_booleans(&self, value: &[bool]) -> u64;
    fn address_of_letters(&self, value: &[char]) -> u64;
    fn address_of_colours(&self, value: &[Colour]) -> u64;
    fn address_of_texts(&self, value: &[String]) -> u64;
}

/// A tree of `depth` levels, the innermost of which has no children.
#[must_use]
pub fn tree(depth: usize) -> Tree {
    let leaf = Tree { value: 0, children: Vec::new() };
    (1..depth).fold(leaf, |child, value| Tree { value: value as i32, children: vec![child] })
}

/// A chain of `length` links.
#[must_use]
pub fn chain(length: usize) -> Chain {
    let end = Chain { number: 0, next: None };
    (1..length).fold(end, |next, number| Chain { number: number as u64, next: Some(Box::new(next)) })
}

/// Boxes with lists in them that are never taken apart.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Onion {
    pub rings: Vec<f64>,
    pub skin: Vec<u8>,
    pub inside: Option<Box<Onion>>,
}

/// An onion of so many layers, each with a ring if `rings`.
#[must_use]
pub fn onion(layers: usize, rings: bool) -> Onion {
    let layer = |inside| Onion { rings: vec![1.5; usize::from(rings)], skin: vec![1, 2], inside };
    (1..layers).fold(layer(None), |inside, _| layer(Some(Box::new(inside))))
}

/// A folder in so many others.
#[must_use]
pub fn folder(depth: usize) -> Folder {
    let empty = || Folder { size: 1, folders: BTreeMap::new(), versions: HashMap::new() };
    (1..depth).fold(empty(), |inner, _| Folder { folders: [("inner".to_owned(), inner)].into(), ..empty() })
}

/// Nesting, for what lies deep.
#[polyplug::contract(name = "test.depth", version = "1.0")]
pub trait Depth {
    /// How deep the tree is.
    fn measure_tree(&self, value: &Tree) -> u64;
    /// How long the chain is.
    fn measure_chain(&self, value: &Chain) -> u64;
    /// How many layers the onion has.
    fn measure_onion(&self, value: &Onion) -> u64;
    /// How deep the folders are.
    fn measure_folder(&self, value: &Folder) -> u64;
    /// A tree that deep.
    fn tree(&self, depth: u64) -> Tree;
    /// A chain that long.
    fn chain(&self, length: u64) -> Chain;
    /// An onion of so many layers, each with a ring if `rings`.
    fn onion(&self, layers: u64, rings: bool) -> Onion;
    /// A folder in so many others.
    fn folder(&self, depth: u64) -> Folder;
}
