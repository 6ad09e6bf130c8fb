//! `cargo xtask bundles`: the example plugins as bundles, ready for a host to load.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::workspace::{self, PluginPackage, Profile};
use crate::{bundle, process};

pub(crate) fn run(release: bool, out: Option<&Path>) -> Result<()> {
    let profile = Profile::new(release);
    let stages = workspace::stages()?;
    let out = out.map_or_else(default_out, |out| std::path::absolute(out).unwrap_or_else(|_| out.to_owned()));
    process::build(&stages, profile)?;
    for folder in assemble(&stages, profile, &out)? {
        println!("{}", folder.display());
    }
    Ok(())
}

/// Returns the default folder for bundles.
pub(crate) fn default_out() -> PathBuf {
    workspace::target_dir().join("bundles")
}

/// Assembles a bundle from each stage that is built, and from each that needs no build. Returns their folders.
pub(crate) fn assemble(stages: &[PluginPackage], profile: Profile, out: &Path) -> Result<Vec<PathBuf>> {
    let libraries = workspace::target_dir().join(profile.folder());
    let built = stages.iter().map(|stage| bundle::assemble(stage, &libraries, out));
    let scripts = workspace::script_stages()?;
    built.chain(scripts.iter().map(|folder| bundle::assemble_scripts(folder, out))).collect()
}
