//! The calls a second that threads make of a plugin in a language whose bundles can have workers.

use std::hint::black_box;
use std::sync::Arc;

use polyplug::Runtime;
use polyplug::loader::BundleSource;
use polyplug_tests::manifest;
use test_contracts::Calculator;

use crate::rate::{BEST_OF, rate};

/// Prints a line for a calculator that is not stateless, and for a stateless one with one worker and with two.
pub(crate) fn throughput(language: &str, runtime: impl Fn() -> Arc<Runtime>, plain: &str, stateless: &str) {
    assert_ne!(stateless, plain, "the plugin is declared stateless");
    let data: Vec<u8> = (0..4096u32).map(|n| n as u8).collect();
    println!("\nThousands of calls a second, all threads together, best of {BEST_OF}");
    println!("{:<34} {:>11} {:>11} {:>11}", "", "1 thread", "2 threads", "4 threads");
    for workers in ["", "workers = 1\n", "workers = 2\n"] {
        let runtime = runtime();
        let source = BundleSource::Code(if workers.is_empty() { plain } else { stateless }.to_owned());
        let manifest = manifest("calculator", language, &format!("main.{language}")) + workers;
        runtime.load_bundle_from(&manifest, source).expect("the fixture loads");
        let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
        let workers = if workers.is_empty() { "not stateless" } else { workers.trim() };
        let rates = |name: &str, call: &(dyn Fn(usize) + Sync)| {
            let [one, two, four] = [1, 2, 4].map(|threads| rate(threads, call) / 1e3);
            println!("{:<34} {one:>11.0} {two:>11.0} {four:>11.0}", format!("{language} {name}, {workers}"));
        };
        rates("add", &|_| drop(black_box(calc.add(black_box(2), black_box(3)))));
        rates("sum of 4 KiB", &|_| drop(black_box(calc.sum(black_box(&data)))));
    }
}
