//! The stages of the example pipeline that are written in C#. Each becomes the assembly that its manifest names.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::guests::Guests;
use super::sources;
use super::toolchain::{Toolchain, place};
use crate::{bundle, workspace};

/// The compiled stages, and a .NET to run them with.
pub(crate) struct Stages {
    /// The folder of the assemblies.
    pub(crate) assemblies: PathBuf,
    /// The `DOTNET_ROOT`.
    pub(crate) root: PathBuf,
}

/// Sets the toolchain up and compiles the stages that have changed. Where that is not possible, it says so and returns
/// `None`; on a build server it fails.
pub(crate) fn build() -> Result<Option<Stages>> {
    let names = names(&workspace::dotnet_stages()?)?.join("`, `");
    let consequence = format!("the pipeline goes without what is written in C#, `{names}`");
    let remedies = "    to get .NET:         cargo xtask dotnet\n    \
                    to run without it:   pipeline .. --without BUNDLE, as `cargo xtask demo` does";
    match Toolchain::set_up_or_skip(&consequence, remedies)? {
        Some(toolchain) => {
            eprintln!("      {}", toolchain.described());
            build_with(&toolchain).map(Some)
        }
        None => Ok(None),
    }
}

/// Returns the names of the bundles in `folders`.
fn names(folders: &[PathBuf]) -> Result<Vec<String>> {
    folders.iter().map(|folder| bundle::name_of(folder)).collect()
}

/// Compiles the stages that have changed.
pub(super) fn build_with(toolchain: &Toolchain) -> Result<Stages> {
    let assemblies = place().join("stages");
    of(&workspace::dotnet_stages()?)?.build(toolchain, &assemblies)?;
    // The newest one is the last.
    let root = toolchain.roots().pop().context("the toolchain of .NET has no runtime")?;
    Ok(Stages { assemblies, root })
}

/// Returns the assemblies of the stages in `folders`.
fn of(folders: &[impl AsRef<Path>]) -> Result<Guests> {
    let mut assemblies = Guests::default();
    for folder in folders {
        let folder = folder.as_ref();
        assemblies.add(bundle::assembly_of(folder)?, sources::below(folder)?)?;
    }
    Ok(assemblies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dotnet::toolchain::unwanted;
    use std::fs;

    #[test]
    fn a_stage_is_compiled_to_the_assembly_that_its_manifest_names() {
        if unwanted() {
            return;
        }
        let temp = tempfile::tempdir().unwrap();
        let (stage, out) = (temp.path().join("check"), temp.path().join("out"));
        fs::create_dir_all(stage.join("obj/Debug")).unwrap();
        fs::create_dir_all(&out).unwrap();
        let manifest = "name = 'check'\nloader = 'dotnet'\nfile = 'Check.dll'\n";
        fs::write(stage.join("manifest.toml"), manifest).unwrap();
        fs::write(stage.join("One.cs"), "public class One : Two {}").unwrap();
        fs::write(stage.join("Two.cs"), "[Polyplug.Plugin(\"a.b@1\")] public class Two {}").unwrap();
        // As an SDK leaves it: a second definition.
        fs::write(stage.join("obj/Debug/Made.cs"), "public class One {}").unwrap();
        let toolchain = Toolchain::set_up().unwrap_or_else(|error| panic!("{error:#}"));
        of(&[&stage]).unwrap().build(&toolchain, &out).unwrap_or_else(|error| panic!("{error:#}"));
        assert!(out.join("Check.dll").is_file() && out.join("Check.pdb").is_file());

        fs::write(stage.join("manifest.toml"), "name = 'check'\nfile = '../Check.dll'").unwrap();
        let error = format!("{:#}", of(&[&stage]).unwrap_err());
        assert!(error.contains("manifest.toml") && error.contains("plain name"), "{error}");
    }

    #[test]
    fn the_repository_has_stages_in_csharp() {
        let folders = workspace::dotnet_stages().unwrap();
        assert_eq!(names(&folders).unwrap(), ["validate"]);
    }
}
