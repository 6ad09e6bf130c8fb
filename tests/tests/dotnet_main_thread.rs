//! The CLR on the main thread of a process, which Rust's test harness keeps for itself. This program is its own harness.
//! On systems other than Linux, for which no .NET is set up, it has no tests.

use std::process::Command;

use polyplug::{CallError, Runtime};
use polyplug_tests::dotnet::{Version, dotnet_bundle, loader};
use polyplug_tests::lua::Script;

const TESTS: [(&str, Version); 2] = [("net9", Version::Net9), ("net31", Version::Net31)];

/// Understands what `cargo test` and `cargo nextest` pass: a list is wanted, or one test, or all of them.
fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let has = |argument: &str| arguments.iter().any(|each| each == argument);
    if has("--list") {
        let names = TESTS.iter().filter(|_| cfg!(target_os = "linux") && !has("--ignored"));
        return names.for_each(|(name, _)| println!("{name}: test"));
    }
    if cfg!(not(target_os = "linux")) || polyplug_tests::without("dotnet") {
        return;
    }
    let program = std::env::current_exe().expect("a program knows its own path");
    for (name, version) in TESTS {
        if has(name) {
            null_references_can_be_caught(version);
        } else if !has("--exact") {
            // A process has one CLR.
            let status = Command::new(&program).args(["--exact", name]).status().expect("it can be started");
            assert!(status.success(), "{name}: {status}");
        }
    }
}

/// The CLR makes an exception of a signal, for which a thread needs more stack than Rust gives to handlers.
fn null_references_can_be_caught(version: Version) {
    assert_eq!(std::thread::current().name(), Some("main"));
    let (runtime, bundle) =
        (Runtime::builder().loader(loader(version)).build().unwrap(), dotnet_bundle("faults", "faults"));
    runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy::<dyn Script>().unwrap();
    for _ in 0..20 {
        assert_eq!(proxy.run("caught null"), Ok("caught".to_owned()));
        let Err(CallError::Exception(failure)) = proxy.run("null") else { panic!("an exception") };
        assert!(failure.message.starts_with("System.NullReferenceException: "), "{failure:?}");
    }
}
