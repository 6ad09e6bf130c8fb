//! `cargo xtask soak`: eight threads call, reload, load and unload bundles of all languages, and what the process occupies is
//! measured every second. Ends with an error if something grows that should stay flat.
//!
//! Usage: soak SECONDS FILE. The samples are written to the file, a line for each.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use polyplug::BundleId;
use polyplug_tests::calculators::{self, LOADERS, calculator};
use polyplug_tests::dotnet::{self, Version, dotnet_bundle};
use polyplug_tests::footprint::{Footprint, footprint};
use polyplug_tests::storm::{Counts, OUTCOMES, THREADS, add, storm};
use polyplug_tests::without;

/// What may come and go: the allocator's arenas for each thread, the heaps of engines, and the versions that are just being
/// changed.
const SLACK: Footprint = Footprint { kib: 24 * 1024, mappings: 48, files: 24, threads: 12 };

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let seconds = arguments.next().and_then(|text| text.to_str()?.parse().ok()).filter(|seconds| *seconds >= 20);
    let (Some(seconds), Some(file)) = (seconds, arguments.next().map(PathBuf::from)) else {
        eprintln!("usage: soak SECONDS FILE, with 20 seconds or more");
        return ExitCode::from(2);
    };
    let mut bundles: Vec<_> =
        LOADERS.iter().map(|loader| (BundleId::new(loader), calculator(loader, loader))).collect();
    let mut builder = calculators::builder().hot_reload(true);
    if !without("dotnet") {
        builder = builder.loader(dotnet::loader(Version::Net9));
        bundles.push((BundleId::new("dotnet"), dotnet_bundle("dotnet", "calculator")));
    }
    let runtime = builder.build().expect("no loader has a rival");
    println!("{THREADS} threads and {} bundles for {seconds} seconds", bundles.len());

    let start = Instant::now();
    let until = start + Duration::from_secs(seconds);
    let (counts, samples) = std::thread::scope(|scope| {
        let started: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (runtime, bundles) = (&runtime, &bundles);
                scope.spawn(move || storm(runtime, bundles, thread, until))
            })
            .collect();
        let mut samples = Vec::new();
        for second in 1..=u32::try_from(seconds).expect("less than a century") {
            std::thread::sleep((start + Duration::from_secs(1) * second).saturating_duration_since(Instant::now()));
            samples.push(footprint());
            // A thread that has ended before its time has failed.
            if Instant::now() < until && started.iter().any(|thread| thread.is_finished()) {
                break;
            }
        }
        let mut total = Counts::new();
        started.into_iter().for_each(|thread| add(&mut total, thread.join().expect("every answer is right")));
        (total, samples)
    });
    let lines = samples.iter().enumerate().map(|(second, Footprint { kib, mappings, files, threads })| {
        format!("{}\t{kib}\t{mappings}\t{files}\t{threads}\n", second + 1)
    });
    std::fs::write(&file, lines.collect::<String>()).expect("the file can be written");

    println!("{counts:#?}");
    let mut faults = grown(&samples);
    faults.extend(OUTCOMES.iter().filter(|what| !counts.contains_key(*what)).map(|what| format!("never {what}")));
    for id in runtime.bundle_ids() {
        if let Err(error) = runtime.unload_bundle(id) {
            faults.push(error.to_string());
        }
    }
    let held = runtime.quiesce(Duration::from_secs(60));
    faults.extend(held.iter().map(|held| format!("nobody has it, and it is not gone: {held:?}")));
    println!("at rest: {:?}", footprint());
    for fault in &faults {
        eprintln!("error: {fault}");
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Compares the last quarter with the second: the first is the warm-up. Returns what has grown.
fn grown(samples: &[Footprint]) -> Vec<String> {
    let quarter = samples.len() / 4;
    type Part = (&'static str, fn(&Footprint) -> u64);
    let parts: [Part; 4] = [
        ("memory in KiB", |sample| sample.kib),
        ("mappings", |sample| sample.mappings as u64),
        ("files", |sample| sample.files as u64),
        ("threads", |sample| sample.threads as u64),
    ];
    let median = |samples: &[Footprint], part: fn(&Footprint) -> u64| {
        let mut values: Vec<_> = samples.iter().map(part).collect();
        values.sort_unstable();
        values[values.len() / 2]
    };
    let mut grown = Vec::new();
    for (what, part) in parts {
        let before = median(&samples[quarter..2 * quarter], part);
        let after = median(&samples[samples.len() - quarter..], part);
        println!("{what}: {before} in the second quarter, {after} in the last");
        if after > before + part(&SLACK) {
            grown.push(format!("{what} grows: {before} in the second quarter, {after} in the last"));
        }
    }
    grown
}
