//! `cargo xtask fixtures`: the plugins, also those in C#, and the C library, which tests and benchmarks load and cargo
//! does not build for them.

use anyhow::Result;

use crate::workspace::{self, Profile};
use crate::{dotnet, process, python};

/// The package of polyplug's C library.
const C_LIBRARY: &str = "polyplug-loaders";

pub(crate) fn run(release: bool, list: bool) -> Result<()> {
    if !list {
        return build(Profile::new(release));
    }
    for package in workspace::fixtures()? {
        println!("{}", package.name);
    }
    println!("{C_LIBRARY}");
    Ok(())
}

/// Builds every fixture.
pub(crate) fn build(profile: Profile) -> Result<()> {
    python::required()?;
    plugins(profile)?;
    // In a build of its own: otherwise the plugins would get the features of a host.
    process::build_named(&[C_LIBRARY], profile)?;
    dotnet::build_guests()
}

/// The packages that are built by themselves: with features of polyplug that the others must do without.
const BUILT_ALONE: [&str; 1] = ["plugin-logs"];

/// Builds the plugins alone.
pub(crate) fn plugins(profile: Profile) -> Result<()> {
    let mut fixtures = workspace::fixtures()?;
    for package in fixtures.extract_if(.., |package| BUILT_ALONE.contains(&package.name.as_str())) {
        process::build(&[package], profile)?;
    }
    if fixtures.is_empty() {
        return Ok(());
    }
    process::build(&fixtures, profile)
}
