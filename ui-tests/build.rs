//! Finds out whether the compiler is the one whose messages are recorded in `ui/`.

use std::env;
use std::process::Command;

/// What `ui/**/*.stderr` is recorded with.
const COMPILER: &str = "1.95";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CI");
    println!("cargo::rustc-check-cfg=cfg(other_compiler)");
    let rustc = env::var_os("RUSTC").expect("cargo sets RUSTC");
    let output = Command::new(rustc).arg("--version").output().expect("the compiler runs");
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.trim();
    if version.starts_with(&format!("rustc {COMPILER}.")) {
        return;
    }
    println!("cargo::rustc-env=OTHER_COMPILER=the messages are recorded with Rust {COMPILER}, and this is {version}");
    // On a build server nobody reads notices: there the tests run and fail.
    if env::var("CI").as_deref() != Ok("true") {
        println!("cargo::rustc-cfg=other_compiler");
        println!(
            "cargo::warning=SKIPPED what the macros must refuse: recorded with Rust {COMPILER}, and this is {version}."
        );
        println!(
            "cargo::warning=To run it: rustup toolchain install {COMPILER} && cargo +{COMPILER} test --package ui-tests"
        );
    }
}
