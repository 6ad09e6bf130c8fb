//! `cargo xtask bundles`: the example plugins as bundles, ready for a host to load.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::workspace::{self, PluginPackage, Profile};
use crate::{bundle, dotnet, process};

pub(crate) fn run(release: bool, out: Option<&Path>) -> Result<()> {
    let profile = Profile::new(release);
    let stages = workspace::stages()?;
    let out = out.map_or_else(default_out, |out| std::path::absolute(out).unwrap_or_else(|_| out.to_owned()));
    process::build(&stages, profile)?;
    let dotnet = dotnet::build_stages()?;
    for folder in assemble(&stages, profile, dotnet.as_ref(), &out)? {
        println!("{}", folder.display());
    }
    Ok(())
}

/// Returns the default folder for bundles.
pub(crate) fn default_out() -> PathBuf {
    workspace::target_dir().join("bundles")
}

/// Assembles a bundle from each stage that is built, from those in C# if they are compiled, and from each that needs no
/// build. Returns their folders.
pub(crate) fn assemble(
    stages: &[PluginPackage],
    profile: Profile,
    dotnet: Option<&dotnet::Stages>,
    out: &Path,
) -> Result<Vec<PathBuf>> {
    let libraries = workspace::target_dir().join(profile.folder());
    let mut bundles = Vec::new();
    for stage in stages {
        bundles.push(bundle::assemble(stage, &libraries, out)?);
    }
    if let Some(dotnet) = dotnet {
        for folder in workspace::dotnet_stages()? {
            bundles.push(bundle::assemble_dotnet(&folder, &dotnet.assemblies, out)?);
        }
    }
    for folder in workspace::script_stages()? {
        bundles.push(bundle::assemble_scripts(&folder, out)?);
    }
    Ok(bundles)
}
