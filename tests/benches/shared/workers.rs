//! The calls a second that threads make of a plugin in a language whose bundles can have workers.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use polyplug::Runtime;
use polyplug::loader::BundleSource;
use polyplug_tests::manifest;
use test_contracts::Calculator;

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
        let rates = |name: &str, call: &(dyn Fn() + Sync)| {
            let [one, two, four] = [1, 2, 4].map(|threads| rate(threads, call) / 1e3);
            println!("{:<34} {one:>11.0} {two:>11.0} {four:>11.0}", format!("{language} {name}, {workers}"));
        };
        rates("add", &|| drop(black_box(calc.add(black_box(2), black_box(3)))));
        rates("sum of 4 KiB", &|| drop(black_box(calc.sum(black_box(&data)))));
    }
}

/// The number of measurements, of which the best one counts: on a busy machine the others have waited.
const BEST_OF: usize = 7;

/// Returns the number of calls a second that `threads` threads make together.
fn rate(threads: usize, call: &(dyn Fn() + Sync)) -> f64 {
    let measure = || {
        let (stop, barrier) = (AtomicBool::new(false), Barrier::new(threads + 1));
        thread::scope(|scope| {
            let callers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        let mut count = 0u64;
                        while !stop.load(Ordering::Relaxed) {
                            for _ in 0..16 {
                                call();
                            }
                            count += 16;
                        }
                        count
                    })
                })
                .collect();
            barrier.wait();
            let start = Instant::now();
            thread::sleep(Duration::from_millis(200));
            stop.store(true, Ordering::Relaxed);
            let count: u64 = callers.into_iter().map(|caller| caller.join().expect("no call panics")).sum();
            count as f64 / start.elapsed().as_secs_f64()
        })
    };
    (0..BEST_OF).map(|_| measure()).fold(0.0, f64::max)
}
