//! `cargo xtask compare`: polyplug beside what else a host could be written with, in one run.
//!
//! The package that compares is a workspace of its own.

use std::process::Command;

use anyhow::Result;

use crate::{process, python, workspace};

const MANIFEST: &str = "tests/comparison/Cargo.toml";

/// The packages of each build. The plugin of polyplug has one of its own, so that it does not get the features that the host
/// has of `polyplug`.
const PLUGINS: [&[&str]; 2] =
    [&["comparison-plugin"], &["comparison-libloading", "abi-stable-plugin", "stabby-plugin"]];

pub(crate) fn run() -> Result<()> {
    python::required()?;
    // The program looks for the plugins beside itself.
    for packages in PLUGINS {
        process::run(cargo("build").args(packages.iter().flat_map(|package| ["--package", package])))?;
    }
    process::run(cargo("run").args(["--package", "comparison"]))
}

fn cargo(command: &str) -> Command {
    let mut cargo = process::cargo();
    cargo.env("CARGO_TARGET_DIR", workspace::target_dir().join("comparison"));
    cargo.args([command, "--release", "--locked", "--manifest-path", MANIFEST]);
    cargo
}
