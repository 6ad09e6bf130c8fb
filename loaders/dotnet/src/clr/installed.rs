//! The versions that an installation of .NET has in a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use semver::Version;

/// The name of the framework that each installation has.
pub(super) const FRAMEWORK: &str = "Microsoft.NETCore.App";

/// Returns the versions of the framework that the installation at `root` has, the oldest first.
pub(super) fn frameworks(root: &Path) -> Vec<Version> {
    let found = versions(&root.join("shared").join(FRAMEWORK)).unwrap_or_default();
    found.into_iter().map(|(version, _)| version).collect()
}

/// Returns the folders in `folder` that are named by a version, the oldest first.
///
/// # Errors
///
/// The folder cannot be read.
pub(super) fn versions(folder: &Path) -> io::Result<Vec<(Version, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let version = path.file_name().and_then(|name| name.to_str()).and_then(|name| Version::parse(name).ok());
        if let Some(version) = version
            && path.is_dir()
        {
            found.push((version, path));
        }
    }
    found.sort();
    Ok(found)
}
