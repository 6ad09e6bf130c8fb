//! `cargo xtask compare`: polyplug beside what else a host could be written with, in one run.
//!
//! The package that compares is a workspace of its own.

use anyhow::Result;

use crate::{process, python, workspace};

const MANIFEST: &str = "tests/comparison/Cargo.toml";

pub(crate) fn run() -> Result<()> {
    python::required()?;
    // Its plugins are found beside it.
    for command in ["build", "run"] {
        let mut cargo = process::cargo();
        cargo.env("CARGO_TARGET_DIR", workspace::target_dir().join("comparison"));
        cargo.args([command, "--release", "--locked", "--manifest-path", MANIFEST]);
        if command == "build" {
            cargo.arg("--workspace");
        }
        process::run(&mut cargo)?;
    }
    Ok(())
}
