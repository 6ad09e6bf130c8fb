//! Instructions a call of a native plugin takes, beside its floor.
//!
//! Counted by callgrind, so the figures are the same on a busy machine. The program runs itself under it, once for some
//! calls and once for twice as many: the difference is the calls.

use std::hint::black_box;
use std::process::{Command, ExitCode};

use polyplug_tests::{Bundle, library, runtime};
use test_contracts::Calculator;

/// Calls in the shorter run.
const CALLS: u64 = 10_000;

const NAME: &str = "sixteen letters!";

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
    for (name, ours, floor) in [
        ("add(i32, i32), beside a raw dlsym call", "add", "floor-add"),
        ("greet(&str) -> String, beside a direct call", "greet", "floor-greet"),
    ] {
        let (ours, floor) = (count(ours), count(floor));
        println!("{name:<44} {ours:>11.1} {floor:>11.1} {:>7.2}", ours / floor);
    }
    ExitCode::SUCCESS
}

/// Instructions of one call of `what`.
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
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).expect("the fixture loads");
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    // SAFETY: a fixture of our own without initialisers.
    let floor = unsafe { libloading::Library::new(library("plugin-floor")) }.expect("the fixture opens");
    // SAFETY: the fixture exports the function with this type.
    let add = *unsafe { floor.get::<extern "C" fn(i32, i32) -> i32>(b"floor_add\0") }.expect("the fixture has it");
    for _ in 0..calls {
        match what {
            "add" => _ = black_box(calc.add(black_box(2), black_box(3))),
            "floor-add" => _ = black_box(add(black_box(2), black_box(3))),
            "greet" => _ = black_box(calc.greet(black_box(NAME))),
            "floor-greet" => _ = black_box(plugin_floor::greet(black_box(NAME))),
            other => panic!("{other} is nothing to count"),
        }
    }
}
