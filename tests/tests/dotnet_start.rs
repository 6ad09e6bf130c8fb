//! The start of the CLR, which a process does once.
#![cfg(unix)]

use std::sync::Barrier;

use polyplug::BundleId;
use polyplug_tests::dotnet::{Version, dotnet_bundle, dotnet_runtime};
use polyplug_tests::lua::Script;
use polyplug_tests::{child, on_each_dotnet};

on_each_dotnet! { the_first_loads_may_come_at_once }

/// The number of threads that load the first bundle.
const THREADS: usize = 16;

fn the_first_loads_may_come_at_once(version: Version) {
    if child::is_child() {
        let bundle = dotnet_bundle("faults", "faults");
        let start = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let runtime = dotnet_runtime(version);
                    start.wait();
                    runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{error}"));
                    let proxy = runtime.proxy::<dyn Script>().unwrap();
                    assert_eq!(proxy.run("fine"), Ok("fine".to_owned()));
                    runtime.unload_bundle(BundleId::new("faults")).unwrap();
                });
            }
        });
        return;
    }
    let module = match version {
        Version::Net9 => "net9",
        Version::Net31 => "net31",
    };
    for round in 0..20 {
        let test = format!("{module}::the_first_loads_may_come_at_once");
        let output = child::again(&test).output().expect("a test can be run");
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "round {round}: {}\n{said}", output.status);
    }
}
