//! Bundles of all loaders are called, reloaded, unloaded and loaded again by eight threads at once: each call is answered
//! rightly or is told that the bundle is unloaded, and the process stays as it was.
//!
//! A few seconds by default; `POLYPLUG_SOAK=20 cargo nextest run -p polyplug-tests --test storm --no-capture` goes on for
//! a minute and prints the series.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use polyplug::BundleId;
use polyplug_tests::calculators::{self, LOADERS, calculator};
use polyplug_tests::footprint::{Slack, footprint};
use polyplug_tests::rounds;
use polyplug_tests::storm::{Counts, OUTCOMES, THREADS, add, storm};

#[test]
fn calls_and_changes_of_all_loaders_at_once() {
    let bundles: Vec<_> = LOADERS.iter().map(|loader| (BundleId::new(loader), calculator(loader, loader))).collect();
    let runtime = calculators::runtime(true);
    let step = Duration::from_millis(u64::from(rounds(300)));
    let mut series = Vec::new();
    let mut total = Counts::new();
    for round in 0..10 {
        let until = Instant::now() + step;
        let counts: Vec<Counts> = std::thread::scope(|scope| {
            let started = (0..THREADS).map(|thread| {
                let (runtime, bundles) = (&runtime, &bundles);
                scope.spawn(move || storm(runtime, bundles, round * THREADS + thread, until))
            });
            started.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        counts.into_iter().for_each(|counts| add(&mut total, counts));
        for id in runtime.bundle_ids() {
            runtime.unload_bundle(id).unwrap();
        }
        assert_eq!(runtime.quiesce(Duration::from_secs(60)), [], "no thread holds a version");
        series.push(footprint());
        println!("after {:?}: {:?}", step * (u32::try_from(round).unwrap() + 1), series[series.len() - 1]);
    }
    println!("{total:#?}");
    for what in OUTCOMES {
        assert!(total.get(what).is_some_and(|count| *count > 0), "{what}: {total:#?}");
    }
    // The allocator has an arena for each thread, which is filled by chance.
    assert!(series[9].is_within(series[4], Slack { kib: 8 * 1024, mappings: 16 }), "{series:#?}");
}
