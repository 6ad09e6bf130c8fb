//! `cargo xtask fixtures`: the plugins and the C library, which tests and benchmarks load and cargo does not build for
//! them.

use anyhow::Result;

use crate::workspace::{self, Profile};
use crate::{process, python};

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
    process::build_named(&[C_LIBRARY], profile)
}

/// Builds the plugins alone.
pub(crate) fn plugins(profile: Profile) -> Result<()> {
    let fixtures = workspace::fixtures()?;
    if fixtures.is_empty() {
        return Ok(());
    }
    process::build(&fixtures, profile)
}
