//! The end of a host's process while code for .NET runs.
#![cfg(unix)]

use std::time::Duration;

use polyplug_tests::dotnet::{Version, dotnet_bundle, dotnet_runtime};
use polyplug_tests::lua::Script;
use polyplug_tests::{child, on_each_dotnet};

on_each_dotnet! { a_process_ends_while_calls_run a_process_ends_with_a_runtime_that_was_never_dropped }

/// The code with which the process ends.
const CODE: i32 = 7;

/// Runs the body of a test in a process of its own, which the body ends. Returns the process's output.
fn ended(test: &str, version: Version, body: impl FnOnce()) {
    if child::is_child() {
        return body();
    }
    let module = match version {
        Version::Net9 => "net9",
        Version::Net31 => "net31",
    };
    // The bundles that such a process leaves behind go with this folder.
    let temporary = tempfile::tempdir().expect("a folder can be made");
    for round in 0..5 {
        let mut command = child::again(&format!("{module}::{test}"));
        let output = command.env("TMPDIR", temporary.path()).output().expect("a test can be run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(CODE), "round {round}: {}\n{said}", output.status);
        assert!(!said.contains("Unhandled") && !said.contains("Fatal"), "{said}");
    }
}

fn a_process_ends_while_calls_run(version: Version) {
    ended("a_process_ends_while_calls_run", version, || {
        let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("faults", "faults"));
        runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{error}"));
        for code in ["fine", "plain", "caught null", "task", "console"] {
            let proxy = runtime.proxy::<dyn Script>().unwrap();
            std::thread::spawn(move || {
                loop {
                    let _answer = proxy.run(code);
                }
            });
        }
        std::thread::sleep(Duration::from_millis(200));
        std::process::exit(CODE);
    });
}

fn a_process_ends_with_a_runtime_that_was_never_dropped(version: Version) {
    ended("a_process_ends_with_a_runtime_that_was_never_dropped", version, || {
        let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("faults", "faults"));
        runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{error}"));
        let proxy = runtime.proxy::<dyn Script>().unwrap();
        proxy.run("fine").unwrap();
        std::mem::forget((runtime, proxy));
        std::process::exit(CODE);
    });
}
