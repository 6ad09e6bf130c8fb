//! `cargo xtask ci`: what has to pass before a change is merged, in the order in which it fails fastest.

use anyhow::Result;

use crate::steps::Steps;
use crate::{doc, process, python, test};

/// Gives whether the tests passed; they are last and report for themselves.
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
