//! `cargo xtask header`: the C header, written from the ABI's sources or compared with them.
//!
//! The test `header` of this package does the work. It has the generator and its dependencies, so that no other command
//! waits for their build.

use anyhow::Result;

use crate::process;

/// Writes the header, or only checks that it is up to date.
pub(crate) fn run(check: bool) -> Result<()> {
    let mut command = process::cargo();
    command.args(["test", "--quiet", "--package", "xtask", "--test", "header"]);
    command.env("POLYPLUG_HEADER", if check { "check" } else { "write" });
    process::run(&mut command)
}
