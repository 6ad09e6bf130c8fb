//! `cargo xtask ci`: the checks that have to pass before a change is merged, the quickest first.

use anyhow::Result;

use crate::steps::Steps;
use crate::{doc, process, python, test};

/// Runs the checks; returns whether the tests passed, which are the last check and print their own report.
pub(crate) fn run() -> Result<bool> {
    python::required()?;
    let mut steps = Steps::new(3);
    steps.step("Formatting", || process::run(process::cargo().args(["fmt", "--check"])))?;
    steps.step("Clippy", || {
        process::run(process::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    steps.step("Documentation", doc::rustdoc)?;
    test::run(false)
}
