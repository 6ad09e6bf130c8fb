//! `cargo xtask fixtures`: the plugins that tests and benchmarks load, which cargo does not build for them.

use anyhow::Result;

use crate::process;
use crate::workspace::{self, Profile};

pub(crate) fn run(release: bool, list: bool) -> Result<()> {
    if !list {
        return build(Profile::new(release));
    }
    for package in workspace::fixtures()? {
        println!("{}", package.name);
    }
    Ok(())
}

/// Builds every fixture.
pub(crate) fn build(profile: Profile) -> Result<()> {
    let fixtures = workspace::fixtures()?;
    if fixtures.is_empty() {
        return Ok(());
    }
    process::build(&fixtures, profile)
}
