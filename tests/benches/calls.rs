//! Calls of a native plugin beside the same by hand.

use std::hint::black_box;

use polyplug_tests::bench::{Goal, Table};
use polyplug_tests::{Bundle, library, runtime};
use test_contracts::Calculator;

fn main() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).expect("the fixture loads");
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");

    // SAFETY: the library is a fixture of this repository, without initialisers.
    let floor = unsafe { libloading::Library::new(library("plugin-floor")) }.expect("the fixture opens");
    // SAFETY: the fixture exports the function with this type.
    let add = unsafe { floor.get::<extern "C" fn(i32, i32) -> i32>(b"floor_add\0") }.expect("the fixture has it");
    let add = *add;

    let name = "sixteen letters!";
    let data: Vec<u8> = (0..4096u32).map(|n| n as u8).collect();
    assert_eq!(calc.add(2, 3), Ok(add(2, 3)));
    assert_eq!(calc.greet(name), Ok(plugin_floor::greet(name)));
    assert_eq!(calc.sum(&data), Ok(plugin_floor::sum(&data)));

    let table = Table::new("Calls of a Rust plugin");
    table.line(
        "add(i32, i32), beside a raw dlsym call",
        Goal::Above(0.8),
        || add(black_box(2), black_box(3)),
        || calc.add(black_box(2), black_box(3)).expect("it answers"),
    );
    table.line(
        "greet(&str) -> String, beside a direct call",
        Goal::Times(1.75),
        || plugin_floor::greet(black_box(name)),
        || calc.greet(black_box(name)).expect("it answers"),
    );
    table.line(
        "sum(&[u8] of 4 KiB), beside a direct call",
        Goal::Times(1.02),
        || plugin_floor::sum(black_box(&data)),
        || calc.sum(black_box(&data)).expect("it answers"),
    );
}
