//! A contract for measuring how values cross, and the work behind it, which can be called directly as well.

use crate::types::Tree;

/// Takes large values apart, and makes them.
#[polyplug::contract(name = "test.measure", version = "1.0")]
pub trait Measure {
    /// The sum of all values of the tree.
    fn sum_tree(&self, tree: &Tree) -> i64;
    /// A tree of a thousand nodes.
    fn make_tree(&self) -> Tree;
    /// How long all texts are together.
    fn total_length(&self, texts: &[String]) -> u64;
    /// Ten thousand texts.
    fn make_texts(&self) -> Vec<String>;
    /// The sum of the numbers.
    fn sum(&self, numbers: &[f64]) -> f64;
    /// The numbers, each twice as large.
    fn double(&self, numbers: &[f64]) -> Vec<f64>;
}

/// See [`Measure::sum_tree`].
#[inline(never)]
#[must_use]
pub fn sum_tree(tree: &Tree) -> i64 {
    i64::from(tree.value) + tree.children.iter().map(sum_tree).sum::<i64>()
}

/// See [`Measure::make_tree`].
#[inline(never)]
#[must_use]
pub fn make_tree() -> Tree {
    fn make(value: i32, depth: u32) -> Tree {
        let children = if depth == 0 { Vec::new() } else { (0..9).map(|child| make(child, depth - 1)).collect() };
        Tree { value, children }
    }
    // 1 + 9 + 81 + 729 nodes, and as many more as there are to a thousand.
    let mut tree = make(0, 3);
    tree.children.extend((0..180).map(|value| make(value, 0)));
    tree
}

/// See [`Measure::total_length`].
#[inline(never)]
#[must_use]
pub fn total_length(texts: &[String]) -> u64 {
    texts.iter().map(|text| text.len() as u64).sum()
}

/// See [`Measure::make_texts`].
#[inline(never)]
#[must_use]
pub fn make_texts() -> Vec<String> {
    (0..10_000).map(|number| format!("text number {number}")).collect()
}

/// See [`Measure::sum`].
#[inline(never)]
#[must_use]
pub fn sum(numbers: &[f64]) -> f64 {
    numbers.iter().sum()
}

/// See [`Measure::double`].
#[inline(never)]
#[must_use]
pub fn double(numbers: &[f64]) -> Vec<f64> {
    numbers.iter().map(|number| number * 2.0).collect()
}
