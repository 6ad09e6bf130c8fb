//! Saved state from anywhere is restored or refused, and what is restored is saved and restored again as it is.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use polyplug::state::{restore, save};

#[derive(Debug, polyplug::Type)]
enum Mood {
    Calm,
    #[contract(other)]
    Strange,
}

#[derive(Debug, polyplug::Type)]
enum Shape {
    Dot,
    Circle { radius: f64, label: Option<String> },
    Group(Vec<Shape>),
}

#[derive(Debug, polyplug::Type)]
struct Whole {
    id: u64,
    moods: BTreeMap<String, Option<Mood>>,
    shapes: (Shape, Result<Shape, i8>),
    below: Option<Box<Whole>>,
    bytes: Vec<u8>,
    #[contract(since = "1.1", default = vec!['a'])]
    letters: Vec<char>,
}

const MAGIC: &[u8] = b"polyplug state\x01";

fuzz_target!(|bytes: &[u8]| {
    let _ = restore::<Whole>(bytes);
    if let Ok(value) = restore::<Whole>(&[MAGIC, bytes].concat()) {
        let again: Whole = restore(&save(&value)).expect("what was restored can be saved");
        assert_eq!(format!("{again:?}"), format!("{value:?}"));
    }
});
