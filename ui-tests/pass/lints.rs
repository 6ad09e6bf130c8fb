//! The expansions are no reason for a warning, however strict the crate is, and stand where unsafe code is forbidden.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![deny(
    absolute_paths_not_starting_with_crate,
    deprecated_in_future,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    ffi_unwind_calls,
    future_incompatible,
    impl_trait_redundant_captures,
    keyword_idents,
    let_underscore_drop,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_abi,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    non_ascii_idents,
    nonstandard_style,
    redundant_imports,
    redundant_lifetimes,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    unused,
    unused_extern_crates,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]

use polyplug::{Contract, PluginContext, Proxy, Type};

/// A contract with everything in it.
#[polyplug::contract(name = "pass.lints", version = "1.1")]
pub trait Everything {
    /// Nothing in, nothing out.
    fn nothing(&self);
    /// Numbers.
    fn numbers(&self, a: i8, b: u64, c: f64, d: bool, e: char) -> (i8, u64, f64, bool, char);
    /// Text.
    fn text(&self, name: &str, owned: String) -> String;
    /// Lists.
    fn lists(&self, points: &[Point], bytes: &[u8], owned: Vec<Point>) -> Vec<Point>;
    /// Maps.
    fn maps(&self, map: std::collections::BTreeMap<String, i32>) -> std::collections::BTreeMap<String, i32>;
    /// A declared error.
    fn fallible(&self, fail: bool) -> Result<Point, Refusal>;
    /// Many arguments.
    fn many(&self, a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32, h: i32) -> i32;
    /// A later one.
    #[contract(since = "1.1")]
    fn later(&self, list: Option<Box<List>>) -> Option<Box<List>>;
    /// One that does something by itself.
    #[contract(since = "1.1")]
    fn provided(&self, a: i32) -> i32 {
        a + 1
    }
}

/// A plain record.
#[derive(Debug, Clone, Copy, PartialEq, Type)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Upwards.
    pub y: f64,
}

/// A tuple-like record.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Named(pub String, pub Point);

/// A record that contains itself.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct List {
    /// The head.
    pub value: Named,
    /// The tail.
    pub next: Option<Box<List>>,
}

/// An enum.
#[derive(Debug, Clone, Copy, PartialEq, Type)]
pub enum Colour {
    /// Red.
    Red,
    /// Green.
    Green = 5,
}

/// A variant.
#[derive(Debug, Clone, PartialEq, Type)]
pub enum Refusal {
    /// No reason.
    Plain,
    /// With a colour.
    Coloured(Colour),
    /// With a list.
    Listed {
        /// The list.
        list: List,
    },
}

/// A plugin.
#[derive(Debug, Clone, Copy)]
pub struct Plugin {
    answer: i32,
}

impl Plugin {
    fn new(context: &PluginContext) -> Result<Self, String> {
        context.log(polyplug::LogLevel::Info, "made");
        Ok(Self { answer: 42 })
    }
}

#[polyplug::plugin(create = Plugin::new, singleton, name = "everything")]
impl Everything for Plugin {
    fn nothing(&self) {}

    fn numbers(&self, a: i8, b: u64, c: f64, d: bool, e: char) -> (i8, u64, f64, bool, char) {
        (a, b, c, d, e)
    }

    fn text(&self, name: &str, owned: String) -> String {
        owned + name
    }

    fn lists(&self, points: &[Point], bytes: &[u8], mut owned: Vec<Point>) -> Vec<Point> {
        owned.extend_from_slice(points);
        owned.truncate(bytes.len());
        owned
    }

    fn maps(&self, map: std::collections::BTreeMap<String, i32>) -> std::collections::BTreeMap<String, i32> {
        map
    }

    fn fallible(&self, fail: bool) -> Result<Point, Refusal> {
        let origin = Point { x: 0.0, y: 0.0 };
        if fail { Err(Refusal::Coloured(Colour::Green)) } else { Ok(origin) }
    }

    fn many(&self, a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32, h: i32) -> i32 {
        a + b + c + d + e + f + g + h + self.answer
    }

    fn later(&self, list: Option<Box<List>>) -> Option<Box<List>> {
        list
    }
}

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    drop(runtime.load_linked_plugins().unwrap());
    let proxy = runtime.proxy::<dyn Everything>().unwrap();
    proxy.nothing().unwrap();
    assert_eq!(proxy.numbers(1, 2, 3.0, true, 'x').unwrap(), (1, 2, 3.0, true, 'x'));
    assert_eq!(proxy.text("b", "a".to_owned()).unwrap(), "ab");
    let point = Point { x: 1.0, y: 2.0 };
    assert_eq!(proxy.lists(&[point], &[1, 2], vec![point]).unwrap(), [point, point]);
    let map = std::collections::BTreeMap::from([("a".to_owned(), 1)]);
    assert_eq!(proxy.maps(map.clone()).unwrap(), map);
    assert_eq!(proxy.fallible(false).unwrap(), Ok(Point { x: 0.0, y: 0.0 }));
    assert_eq!(proxy.fallible(true).unwrap(), Err(Refusal::Coloured(Colour::Green)));
    assert_eq!(proxy.many(1, 2, 3, 4, 5, 6, 7, 8).unwrap(), 78);
    let end = List { value: Named("end".to_owned(), point), next: None };
    let list = Some(Box::new(List { value: Named("head".to_owned(), point), next: Some(Box::new(end)) }));
    assert_eq!(proxy.later(list.clone()).unwrap(), list);
    assert_eq!(proxy.provided(1).unwrap(), 2);
    assert!(!proxy.bundle_name().is_empty());
    assert_eq!(<dyn Everything as Contract>::NAME, "pass.lints");
    drop((Refusal::Plain, Refusal::Listed { list: *list.unwrap() }, Colour::Red));
}
