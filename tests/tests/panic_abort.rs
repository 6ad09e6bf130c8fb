//! A plugin built with `panic = "abort"` does not compile, and the compiler says why.

use std::path::Path;
use std::process::{Command, Output};

/// Checks a plugin with this setting for panics. What was compiled for an earlier run is used again.
fn check(panic: &str) -> Output {
    Command::new(env!("CARGO"))
        .args(["check", "--offline", "--package", "plugin-calc", "--config"])
        .arg(format!("profile.dev.panic = {panic:?}"))
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("panic"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        // Those of a sanitizer are for another compiler.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("cargo runs the tests, so it runs")
}

#[test]
fn a_plugin_whose_panics_abort_does_not_compile() {
    let output = check("abort");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{errors}");
    for part in [
        "polyplug plugins must be built with panic = \"unwind\"",
        "a panic in the plugin would end the host",
        "Remove `panic = \"abort\"` from this profile in Cargo.toml",
        "tests/plugins/calc/src/lib.rs",
    ] {
        assert!(errors.contains(part), "{part} is in:\n{errors}");
    }
    let others = errors
        .lines()
        .filter(|line| line.starts_with("error"))
        .find(|line| !line.contains("must be built with") && !line.contains("could not compile"));
    assert_eq!(others, None, "nothing else is wrong with the plugin");
}

/// So that the test above does not pass because of something else.
#[test]
fn a_plugin_whose_panics_unwind_compiles() {
    let output = check("unwind");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
