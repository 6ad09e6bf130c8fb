//! Plugins in Lua, beside the same by hand: mlua's own calls, and the C API under one protected call.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polyplug::loader::BundleSource;
use polyplug::{BundleId, Runtime};
use polyplug_lua::{LuaLoader, mlua};
use polyplug_tests::bench::{Goal, Table};
use polyplug_tests::{Bundle, manifest};
use test_contracts::Calculator;
use test_contracts::types::Tree;

use crate::raw::Raw;
use crate::workers::throughput;

#[path = "shared/rate.rs"]
mod rate;
#[path = "lua/raw.rs"]
mod raw;
#[path = "shared/workers.rs"]
mod workers;

const CALCULATOR: &str = include_str!("lua/calculator.lua");
const TREES: &str = include_str!("lua/trees.lua");
const BY_HAND: &str = include_str!("lua/by_hand.lua");

/// Takes a record with a list of records, and returns it.
#[polyplug::contract(name = "bench.trees", version = "1.0")]
trait Trees {
    fn tree(&self, value: &Tree) -> Tree;
}

fn runtime(loader: LuaLoader) -> Arc<Runtime> {
    Runtime::builder().loader(loader).hot_reload(true).build().expect("one loader has no rival")
}

fn load(runtime: &Runtime, name: &str, code: &str) {
    let source = BundleSource::Code(code.to_owned());
    runtime.load_bundle_from(&manifest(name, "lua", "main.lua"), source).expect("the fixture loads");
}

fn main() {
    calls();
    limits();
    workers();
    life_cycle();
}

fn calls() {
    let runtime = runtime(LuaLoader::new());
    load(&runtime, "calculator", CALCULATOR);
    load(&runtime, "trees", TREES);
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    let trees = runtime.proxy::<dyn Trees>().expect("the fixture provides it");

    let lua = mlua::Lua::new();
    let by_hand: mlua::Table = lua.load(BY_HAND).eval().expect("the code runs");
    let function = |name: &str| by_hand.get::<mlua::Function>(name).expect("it has it");
    let (add, greet, sum, tree) = (function("add"), function("greet"), function("sum"), function("tree"));

    let name = "sixteen letters!";
    let data: Vec<u8> = (0..4096u32).map(|n| n as u8).collect();
    let total = data.iter().map(|byte| u64::from(*byte)).sum();
    assert_eq!(calc.add(2, 3), Ok(5));
    assert_eq!(calc.greet(name), Ok("Hello, sixteen letters!!".to_owned()));
    assert_eq!(calc.sum(&data), Ok(total));

    let table = Table::new("Calls of a Lua plugin, beside mlua's `Function::call`");
    table.line(
        "lua add(i32, i32)",
        Goal::Within { ns: 40.0, reference: 64.0 },
        || add.call::<i32>((black_box(2), black_box(3))).expect("it answers"),
        || calc.add(black_box(2), black_box(3)).expect("it answers"),
    );
    table.line(
        "lua greet(&str) -> String",
        Goal::Within { ns: 85.0, reference: 93.0 },
        || greet.call::<String>(black_box(name)).expect("it answers"),
        || calc.greet(black_box(name)).expect("it answers"),
    );
    table.line(
        "lua sum(&[u8] of 4 KiB)",
        Goal::Times(1.05),
        || sum.call::<u64>(lua.create_string(black_box(&data)).expect("a string")).expect("it answers"),
        || calc.sum(black_box(&data)).expect("it answers"),
    );
    let given = Tree { value: 1, children: (0..8).map(|value| Tree { value, children: Vec::new() }).collect() };
    assert_eq!(trees.tree(&given), Ok(given.clone()));
    table.line(
        "lua record with a nested list, in and out",
        Goal::None,
        || from_lua(&tree.call::<mlua::Table>(to_lua(&lua, black_box(&given))).expect("it answers")),
        || trees.tree(black_box(&given)).expect("it answers"),
    );

    let table = Table::new("The same, beside the C API under one protected call");
    let raw = Raw::new();
    assert_eq!(raw.add(2, 3), 5);
    table.line(
        "lua add(i32, i32), raw",
        Goal::None,
        || raw.add(black_box(2), black_box(3)),
        || calc.add(black_box(2), black_box(3)).expect("it answers"),
    );
}

fn limits() {
    let free = runtime(LuaLoader::new());
    load(&free, "calculator", CALCULATOR);
    let free = free.proxy::<dyn Calculator>().expect("the fixture provides it");
    let timed = runtime(LuaLoader::new().with_time_limit(Duration::from_secs(1)));
    load(&timed, "calculator", CALCULATOR);
    let timed = timed.proxy::<dyn Calculator>().expect("the fixture provides it");
    let small = runtime(LuaLoader::new().with_memory_limit(16 << 20));
    load(&small, "calculator", CALCULATOR);
    let small = small.proxy::<dyn Calculator>().expect("the fixture provides it");
    let data: Vec<u8> = (0..4096u32).map(|n| n as u8).collect();

    let table = Table::new("What limits cost, beside none");
    for (name, limited, of_call, of_loop) in [("time", &timed, 1.2, 2.0), ("memory", &small, 1.05, 1.05)] {
        table.line(
            &format!("lua add with a limit of {name}"),
            Goal::Times(of_call),
            || free.add(black_box(2), black_box(3)),
            || limited.add(black_box(2), black_box(3)),
        );
        table.line(
            &format!("lua sum with a limit of {name}"),
            Goal::Times(of_loop),
            || free.sum(black_box(&data)),
            || limited.sum(black_box(&data)),
        );
    }
}

/// Measures calls a second of one, two and four threads, with one worker and with two.
fn workers() {
    let table = Table::new("Workers");
    if !table.wants("lua workers threads") {
        return;
    }
    let stateless =
        CALCULATOR.replace("calculator@1\")\n\nfunction", "calculator@1\", { stateless = true })\n\nfunction");
    throughput("lua", || runtime(LuaLoader::new()), CALCULATOR, &stateless);
}

fn life_cycle() {
    let table = Table::new("Loading a Lua bundle, beside a bare VM that runs its file");
    if !table.wants("load reload") {
        return;
    }
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("calculator", "lua", "main.lua"));
    bundle.write("main.lua", CALCULATOR);
    let file = bundle.path().join("main.lua");
    let without = Runtime::builder().loader(LuaLoader::new()).build().expect("one loader has no rival");
    table.line(
        "lua load and unload",
        Goal::None,
        || {
            let lua = mlua::Lua::new();
            let text = std::fs::read(&file).expect("it is there");
            let stub = "package.preload.polyplug = function() return { plugin = function() return {} end, \
                        types = function() return {} end } end";
            lua.load(stub).exec().expect("it runs");
            lua.load(text).exec().expect("it runs");
        },
        || {
            let id = without.load_bundle(bundle.path()).expect("it loads");
            without.unload_bundle(id).expect("it unloads")
        },
    );

    let id = BundleId::new("calculator");
    print_each("load alone", 300, || {
        let start = Instant::now();
        without.load_bundle(bundle.path()).expect("it loads");
        let taken = start.elapsed();
        without.unload_bundle(id).expect("it unloads");
        taken
    });
    let with = runtime(LuaLoader::new());
    with.load_bundle(bundle.path()).expect("it loads");
    let reload = || {
        let start = Instant::now();
        with.reload_bundle(bundle.path()).expect("it reloads");
        start.elapsed()
    };
    print_each("reload", 300, reload);
    let memory = with.bundle(id).map_or(0, |info| info.memory);
    println!("memory of the bundle: {} KiB", memory / 1024);
    bundle.write("module.lua", "-- A bundle of several files runs from a private copy.");
    print_each("reload with a private copy", 300, reload);
}

fn print_each(name: &str, times: usize, mut once: impl FnMut() -> Duration) {
    let mut taken: Vec<_> = (0..times).map(|_| once()).collect();
    taken.sort_unstable();
    println!("{name:<44} {:>11.1} us (median of {times}; goal 150)", taken[times / 2].as_secs_f64() * 1e6);
}

fn to_lua(lua: &mlua::Lua, tree: &Tree) -> mlua::Table {
    let table = lua.create_table().expect("a table");
    table.set("value", tree.value).expect("a field");
    let children = lua.create_sequence_from(tree.children.iter().map(|child| to_lua(lua, child)));
    table.set("children", children.expect("a list")).expect("a field");
    table
}

fn from_lua(table: &mlua::Table) -> Tree {
    let children: mlua::Table = table.get("children").expect("a field");
    let children = children.sequence_values().map(|child| from_lua(&child.expect("a table"))).collect();
    Tree { value: table.get("value").expect("a field"), children }
}
