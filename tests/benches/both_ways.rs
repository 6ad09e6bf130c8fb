//! Calls that plugins make: of their host, of each other, and back to their callers.

use std::hint::black_box;

use polyplug_tests::bench::{Goal, Table};
use polyplug_tests::{Bundle, library, manifest, runtime};
use test_contracts::spinning::{Adder, Spinner};

type Add = extern "C" fn(i32, i32) -> i32;

/// The number of calls in a round: so many that the one call that starts a round does not count.
const ROUND: u32 = 1_000;

struct Sums;

impl Adder for Sums {
    fn add(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }
}

fn main() {
    let runtime = runtime();
    runtime.provide::<dyn Adder>(Sums).expect("provided once");
    let calc = Bundle::native("calc", "plugin-calc");
    runtime.load_bundle(calc.path()).expect("the fixture loads");
    let bundle = Bundle::native("spinner", "plugin-spinner");
    let needs = "[[dependency]]\ncontract = \"demo.calculator@1\"\n";
    bundle.write("manifest.toml", manifest("spinner", "native", "plugin") + needs);
    runtime.load_bundle(bundle.path()).expect("the fixture loads");
    let spinner = runtime.proxy::<dyn Spinner>().expect("provided");
    let callback = runtime.callback::<dyn Adder>(Sums).expect("the runtime is there");

    // SAFETY: the library is a fixture of this repository, without initialisers.
    let floor = unsafe { libloading::Library::new(library("plugin-floor")) }.expect("the fixture opens");
    // SAFETY: the fixture exports the function with this type.
    let add = *unsafe { floor.get::<Add>(b"floor_add\0") }.expect("the fixture has it");
    let raw = || (0..ROUND).fold(0, |sum, _| add(black_box(sum), black_box(1)));
    let expected = ROUND as i32;
    assert_eq!(raw(), expected);
    assert_eq!(spinner.host(ROUND), Ok(Ok(expected)));
    assert_eq!(spinner.peer(ROUND), Ok(Ok(expected)));
    assert_eq!(spinner.lent(&Sums, ROUND), Ok(expected));
    assert_eq!(spinner.kept(&callback, ROUND), Ok(Ok(expected)));

    let table = Table::new("Calls of add(i32, i32) that a plugin makes, beside a raw dlsym call");
    table.line_of(ROUND, "a host contract", Goal::None, raw, || spinner.host(ROUND).expect("it answers"));
    table.line_of(ROUND, "a peer", Goal::None, raw, || spinner.peer(ROUND).expect("it answers"));
    table
        .line_of(ROUND, "an object that was lent", Goal::None, raw, || spinner.lent(&Sums, ROUND).expect("it answers"));
    table.line_of(ROUND, "a callback", Goal::None, raw, || spinner.kept(&callback, ROUND).expect("it answers"));
    table.line("lending an object for a call without one", Goal::None, || spinner.host(0), || spinner.lent(&Sums, 0));
}
