//! The instructions of a call, beside its floor: of a native plugin, and of one in Lua, in Python and in JavaScript.
//!
//! Callgrind counts them, so the figures are the same on a busy machine. The program runs itself under callgrind, once
//! for some calls and once for twice as many: the difference is the cost of the calls.

use std::ffi::CString;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use polyplug::loader::{BundleLoader, BundleSource};
use polyplug::{Runtime, Value};
use polyplug_js::JsLoader;
use polyplug_lua::{LuaLoader, mlua};
use polyplug_python::PythonLoader;
use polyplug_python::pyo3::prelude::*;
use polyplug_python::pyo3::types::PyModule;
use polyplug_tests::{Bundle, library, manifest, runtime};
use test_contracts::{Calculator, CalculatorProxy};

use crate::by_hand::ByHand;

#[path = "js/by_hand.rs"]
mod by_hand;

/// The number of calls in the shorter run.
const CALLS: u64 = 10_000;

const NAME: &str = "sixteen letters!";

/// The counted calls: the name, and the program's arguments for ours and for the floor, where there is a floor.
const COUNTED: [(&str, &str, Option<&str>); 11] = [
    ("add(i32, i32), beside a raw dlsym call", "add", Some("floor-add")),
    ("greet(&str) -> String, beside a direct call", "greet", Some("floor-greet")),
    ("add by a proxy not refreshed since a reload", "stale-add", Some("floor-add")),
    ("add by name, with values", "dynamic-add", None),
    ("add by a method found once, with values", "prepared-add", None),
    ("lua add(i32, i32), beside mlua", "lua-add", Some("floor-lua-add")),
    ("lua greet(&str) -> String, beside mlua", "lua-greet", Some("floor-lua-greet")),
    ("python add(i32, i32), beside pyo3", "python-add", Some("floor-python-add")),
    ("python greet(&str) -> String, beside pyo3", "python-greet", Some("floor-python-greet")),
    ("js add(i32, i32), beside rquickjs", "js-add", Some("floor-js-add")),
    ("js greet(&str) -> String, beside rquickjs", "js-greet", Some("floor-js-greet")),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, what, calls] = &arguments[..]
        && let Ok(calls) = calls.parse()
    {
        run(what, calls);
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("\nInstructions a call: SKIPPED, for valgrind is not installed. To count them:");
        println!("    apt-get install valgrind && cargo xtask bench");
        return if std::env::var_os("CI").is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    println!("\nInstructions a call (callgrind)");
    println!("{:<44} {:>11} {:>11} {:>7}", "", "ours", "floor", "ratio");
    for (name, ours, floor) in COUNTED {
        let ours = count(ours);
        match floor.map(count) {
            Some(floor) => println!("{name:<44} {ours:>11.1} {floor:>11.1} {:>7.2}", ours / floor),
            None => println!("{name:<44} {ours:>11.1} {:>11} {:>7}", "-", "-"),
        }
    }
    ExitCode::SUCCESS
}

/// Returns the instructions of one call of `what`.
fn count(what: &str) -> f64 {
    let (few, many) = (total(what, CALLS), total(what, 2 * CALLS));
    (many - few) as f64 / CALLS as f64
}

fn total(what: &str, calls: u64) -> u64 {
    let program = std::env::current_exe().expect("a program knows its own path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([what, &calls.to_string()])
        .output()
        .expect("valgrind was there just now");
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.unwrap_or_else(|| panic!("callgrind counted nothing:\n{text}"))
}

fn run(what: &str, calls: u64) {
    match what.split_once("lua-").or(what.split_once("python-")).or(what.split_once("js-")) {
        None => native(what, calls),
        Some(("", method)) if what.starts_with("js") => script(JsLoader::new(), "js", method, calls),
        Some((_, method)) if what.contains("js") => by_hand_in_js(method, calls),
        Some(("", method)) if what.starts_with("lua") => script(LuaLoader::new(), "lua", method, calls),
        Some(("", method)) => script(PythonLoader::new(), "python", method, calls),
        Some((_, method)) if what.contains("lua") => by_hand_in_lua(method, calls),
        Some((_, method)) => by_hand_in_python(method, calls),
    }
}

fn native(what: &str, calls: u64) {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = if what == "stale-add" { reloadable(polyplug_native::NativeLoader::new()) } else { runtime() };
    runtime.load_bundle(bundle.path()).expect("the fixture loads");
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    if what == "stale-add" {
        runtime.reload_bundle(bundle.path()).expect("it reloads");
    }
    let by_name = runtime.dynamic("demo.calculator@1").expect("the fixture has a schema");
    let values = [Value::from(2), Value::from(3)];
    // SAFETY: the library is a fixture of this repository, without initialisers.
    let floor = unsafe { libloading::Library::new(library("plugin-floor")) }.expect("the fixture opens");
    // SAFETY: the fixture exports the function with this type.
    let add = *unsafe { floor.get::<extern "C" fn(i32, i32) -> i32>(b"floor_add\0") }.expect("the fixture has it");
    match what {
        "floor-add" => repeat(calls, || add(black_box(2), black_box(3))),
        "floor-greet" => repeat(calls, || plugin_floor::greet(black_box(NAME))),
        "dynamic-add" => repeat(calls, || by_name.call("add", black_box(&values))),
        "prepared-add" => {
            let add = by_name.method("add").expect("the contract has it");
            repeat(calls, || add.call(black_box(&values)));
        }
        what => call(&calc, what.trim_start_matches("stale-"), calls),
    }
}

/// Repeats the call that is counted. Each caller has a loop of its own, so that the choice of the call is not counted.
fn repeat<R>(calls: u64, mut call: impl FnMut() -> R) {
    for _ in 0..calls {
        black_box(call());
    }
}

fn call(calc: &CalculatorProxy, method: &str, calls: u64) {
    match method {
        "add" => repeat(calls, || calc.add(black_box(2), black_box(3))),
        "greet" => repeat(calls, || calc.greet(black_box(NAME))),
        other => panic!("{other} is nothing to count"),
    }
}

fn reloadable(loader: impl BundleLoader + 'static) -> Arc<Runtime> {
    Runtime::builder().loader(loader).hot_reload(true).build().expect("one loader has no rival")
}

fn script(loader: impl BundleLoader + 'static, language: &str, method: &str, calls: u64) {
    let (file, code) = match language {
        "lua" => ("main.lua", include_str!("lua/calculator.lua")),
        "js" => ("main.js", include_str!("js/calculator.js")),
        _ => ("main.py", include_str!("python/calculator.py")),
    };
    let runtime = reloadable(loader);
    let manifest = manifest("calculator", language, file);
    runtime.load_bundle_from(&manifest, BundleSource::Code(code.to_owned())).expect("the fixture loads");
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    assert_eq!(calc.add(2, 3), Ok(5));
    call(&calc, method, calls);
}

fn by_hand_in_lua(method: &str, calls: u64) {
    let lua = mlua::Lua::new();
    let functions: mlua::Table = lua.load(include_str!("lua/by_hand.lua")).eval().expect("the code runs");
    let function = functions.get::<mlua::Function>(method).expect("it has it");
    match method {
        "add" => repeat(calls, || function.call::<i32>((black_box(2), black_box(3))).expect("it answers")),
        _ => repeat(calls, || function.call::<String>(black_box(NAME)).expect("it answers")),
    }
}

fn by_hand_in_js(method: &str, calls: u64) {
    let hand = ByHand::new();
    match method {
        "add" => repeat(calls, || hand.call(&hand.add, |_, add| add.call::<_, i32>((black_box(2), black_box(3))))),
        _ => repeat(calls, || hand.call(&hand.greet, |_, greet| greet.call::<_, String>((black_box(NAME),)))),
    }
}

fn by_hand_in_python(method: &str, calls: u64) {
    let runtime = reloadable(PythonLoader::new());
    let manifest = manifest("calculator", "python", "main.py");
    let code = include_str!("python/calculator.py").to_owned();
    runtime.load_bundle_from(&manifest, BundleSource::Code(code)).expect("it starts the interpreter");
    let function = Python::attach(|py| {
        let code = CString::new(include_str!("python/by_hand.py")).expect("text");
        let module = PyModule::from_code(py, &code, c"by_hand.py", c"by_hand").expect("the code runs");
        module.getattr(method).expect("it has it").unbind()
    });
    match method {
        "add" => repeat(calls, || {
            Python::attach(|py| {
                let sum = function.bind(py).call1((black_box(2), black_box(3)));
                sum.and_then(|sum| sum.extract::<i32>()).expect("it answers")
            })
        }),
        _ => repeat(calls, || {
            Python::attach(|py| {
                let text = function.bind(py).call1((black_box(NAME),));
                text.and_then(|text| text.extract::<String>()).expect("it answers")
            })
        }),
    }
}
