//! Plugins that return what they are given, or measure it.

// What authors may write is written here, the unusual as well.
#![allow(clippy::ptr_arg, clippy::borrowed_box, clippy::result_unit_err, clippy::result_large_err)]

use std::collections::{BTreeMap, HashMap};

use test_contracts::each_type;
use test_contracts::measure::{self, Measure};
use test_contracts::types::{
    Borrowed, Chain, Colour, Depth, Document, Family, Folder, Mixed, Nested, Onion, Pair, Pixel, Point, Refusal, Shape,
    Tree, Types, Wrapper, chain, folder, onion, tree,
};

#[derive(Default)]
struct Echo;

macro_rules! implement {
    ($($name:ident: $ty:ty),* $(,)?) => {
        #[polyplug::plugin]
        impl Types for Echo {
            $(fn $name(&self, value: $ty) -> $ty {
                value
            })*
        }
    };
}

each_type!(implement);

fn address<T>(of: &[T]) -> u64 {
    of.as_ptr() as u64
}

#[polyplug::plugin]
impl Borrowed for Echo {
    fn nothing(&self) {}

    fn text(&self, value: &str) -> String {
        value.to_owned()
    }

    fn owned_text(&self, value: &String) -> String {
        value.clone()
    }

    fn bytes(&self, value: &[u8]) -> Vec<u8> {
        value.to_vec()
    }

    fn owned_bytes(&self, value: &Vec<u8>) -> Vec<u8> {
        value.clone()
    }

    fn number(&self, value: &i32) -> i32 {
        *value
    }

    fn floats(&self, value: &[f64]) -> Vec<f64> {
        value.to_vec()
    }

    fn booleans(&self, value: &[bool]) -> Vec<bool> {
        value.to_vec()
    }

    fn letters(&self, value: &[char]) -> Vec<char> {
        value.to_vec()
    }

    fn texts(&self, value: &[String]) -> Vec<String> {
        value.to_vec()
    }

    fn lists(&self, value: &[Vec<i32>]) -> Vec<Vec<i32>> {
        value.to_vec()
    }

    fn points(&self, value: &[Point]) -> Vec<Point> {
        value.to_vec()
    }

    fn pairs(&self, value: &[Pair]) -> Vec<Pair> {
        value.to_vec()
    }

    fn colours(&self, value: &[Colour]) -> Vec<Colour> {
        value.to_vec()
    }

    fn shapes(&self, value: &[Shape]) -> Vec<Shape> {
        value.to_vec()
    }

    fn tuples(&self, value: &[(u8, u64)]) -> Vec<(u8, u64)> {
        value.to_vec()
    }

    fn options(&self, value: &[Option<String>]) -> Vec<Option<String>> {
        value.to_vec()
    }

    fn list(&self, value: &Vec<String>) -> Vec<String> {
        value.clone()
    }

    fn option(&self, value: &Option<String>) -> Option<String> {
        value.clone()
    }

    fn tuple(&self, value: &(i32, String)) -> (i32, String) {
        value.clone()
    }

    fn map(&self, value: &HashMap<String, i32>) -> HashMap<String, i32> {
        value.clone()
    }

    fn record(&self, value: &Mixed) -> Mixed {
        value.clone()
    }

    fn colour(&self, value: &Colour) -> Colour {
        *value
    }

    fn shape(&self, value: &Shape) -> Shape {
        value.clone()
    }

    fn tree(&self, value: &Tree) -> Tree {
        value.clone()
    }

    fn boxed(&self, value: &Box<Shape>) -> Box<Shape> {
        value.clone()
    }

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
    ) -> (u8, String, Option<f32>, Vec<i16>, char, Point, Shape, u64) {
        (a, b.to_owned(), c, d.to_vec(), e, f, g.clone(), h)
    }

    fn address_of_text(&self, value: &str) -> u64 {
        address(value.as_bytes())
    }

    fn address_of_bytes(&self, value: &[u8]) -> u64 {
        address(value)
    }

    fn address_of_floats(&self, value: &[f64]) -> u64 {
        address(value)
    }

    fn address_of_points(&self, value: &[Point]) -> u64 {
        address(value)
    }

    fn address_of_pixels(&self, value: &[Pixel]) -> u64 {
        address(value)
    }

    fn address_of_booleans(&self, value: &[bool]) -> u64 {
        address(value)
    }

    fn address_of_letters(&self, value: &[char]) -> u64 {
        address(value)
    }

    fn address_of_colours(&self, value: &[Colour]) -> u64 {
        address(value)
    }

    fn address_of_texts(&self, value: &[String]) -> u64 {
        address(value)
    }
}

#[polyplug::plugin]
impl Depth for Echo {
    fn measure_tree(&self, value: &Tree) -> u64 {
        1 + value.children.iter().map(|child| self.measure_tree(child)).max().unwrap_or(0)
    }

    fn measure_chain(&self, value: &Chain) -> u64 {
        1 + value.next.as_ref().map_or(0, |next| self.measure_chain(next))
    }

    fn measure_onion(&self, value: &Onion) -> u64 {
        1 + value.inside.as_ref().map_or(0, |inside| self.measure_onion(inside))
    }

    fn measure_folder(&self, value: &Folder) -> u64 {
        1 + value.folders.values().map(|folder| self.measure_folder(folder)).max().unwrap_or(0)
    }

    fn tree(&self, depth: u64) -> Tree {
        tree(depth as usize)
    }

    fn chain(&self, length: u64) -> Chain {
        chain(length as usize)
    }

    fn onion(&self, layers: u64, rings: bool) -> Onion {
        onion(layers as usize, rings)
    }

    fn folder(&self, depth: u64) -> Folder {
        folder(depth as usize)
    }
}

#[polyplug::plugin]
impl Measure for Echo {
    fn sum_tree(&self, tree: &Tree) -> i64 {
        measure::sum_tree(tree)
    }

    fn make_tree(&self) -> Tree {
        measure::make_tree()
    }

    fn total_length(&self, texts: &[String]) -> u64 {
        measure::total_length(texts)
    }

    fn make_texts(&self) -> Vec<String> {
        measure::make_texts()
    }

    fn sum(&self, numbers: &[f64]) -> f64 {
        measure::sum(numbers)
    }

    fn double(&self, numbers: &[f64]) -> Vec<f64> {
        measure::double(numbers)
    }
}
