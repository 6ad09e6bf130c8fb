//! `cargo xtask header`: the C header, written from the ABI's sources or held against them.
//!
//! The work is done by the test `header` of this package, which has the generator and its dependencies: no other command
//! waits for those.

use anyhow::Result;

use crate::process;

/// Writes the header, or only says whether it is out of date.
pub(crate) fn run(check: bool) -> Result<()> {
    let mut command = process::cargo();
    command.args(["test", "--quiet", "--package", "xtask", "--test", "header"]);
    command.env("POLYPLUG_HEADER", if check { "check" } else { "write" });
    process::run(&mut command)
}
