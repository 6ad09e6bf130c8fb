//! Values of growing size and depth, there and back.

use std::hint::black_box;

use polyplug_tests::batches::{Batch, medians, repeated};
use test_contracts::types::Tree;

use crate::Chart;
use crate::languages::{self, Language};

/// Measures calls that take bytes and give them back.
pub(crate) fn payloads() -> Chart {
    let mut chart = Chart::new("payloads", "Bytes there and back", "bytes", "ns");
    let languages = languages::all();
    for (name, len) in [("0", 0), ("16", 16), ("256", 256), ("4 Ki", 4 << 10), ("64 Ki", 64 << 10), ("1 Mi", 1 << 20)] {
        let data: Vec<u8> = (0..len).map(|number| number as u8).collect();
        assert!(languages.iter().all(|language| language.echo.bytes(&data).as_ref() == Ok(&data)));
        let floor = repeated(|| black_box(&data).clone());
        line(&mut chart, name, &languages, floor, |language| {
            language.echo.bytes(black_box(&data)).expect("it answers");
        });
    }
    chart
}

/// Measures calls that take a list of numbers and give it back.
pub(crate) fn lists() -> Chart {
    let mut chart = Chart::new("lists", "A list of i32 there and back", "numbers", "ns");
    let languages = languages::all();
    for (name, len) in [("0", 0), ("10", 10), ("100", 100), ("1,000", 1_000), ("10,000", 10_000), ("100,000", 100_000)]
    {
        let numbers: Vec<i32> = (0..len).collect();
        assert!(languages.iter().all(|language| language.echo.numbers(&numbers).as_ref() == Ok(&numbers)));
        let floor = repeated(|| black_box(&numbers).clone());
        line(&mut chart, name, &languages, floor, |language| {
            language.echo.numbers(black_box(&numbers)).expect("it answers");
        });
    }
    chart
}

/// Measures calls that take records in records and give them back.
pub(crate) fn depth() -> Chart {
    let mut chart = Chart::new("depth", "Records in each other there and back", "depth", "ns");
    let languages = languages::all();
    for depth in [1, 2, 4, 8, 16, 32, 64] {
        let mut tree = Tree { value: 0, children: Vec::new() };
        for value in 1..depth {
            tree = Tree { value, children: vec![tree] };
        }
        assert!(languages.iter().all(|language| language.echo.tree(&tree).as_ref() == Ok(&tree)));
        let floor = repeated(|| black_box(&tree).clone());
        line(&mut chart, &depth.to_string(), &languages, floor, |language| {
            language.echo.tree(black_box(&tree)).expect("it answers");
        });
    }
    chart
}

fn line<'a>(
    chart: &mut Chart,
    at: &str,
    languages: &'a [Language],
    floor: Batch<'a>,
    call: impl Fn(&Language) + Copy + 'a,
) {
    let calls = languages.iter().map(|language| repeated(move || call(language)));
    let mut batches: Vec<Batch<'a>> = calls.chain([floor]).collect();
    let names = languages.iter().map(|language| language.name).chain(["clone in one program"]);
    let points: Vec<_> = names.zip(medians(&mut batches)).collect();
    chart.points(at, &points);
}
