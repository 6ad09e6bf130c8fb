//! The private copies that bundles run from when hot reload is on.

use std::path::PathBuf;

use crate::mapped_below;

/// Returns the folder in which each process has a folder with its copies.
#[must_use]
pub fn all_copies() -> PathBuf {
    std::env::temp_dir().join("polyplug-bundles")
}

/// Returns the copies of this process.
#[must_use]
pub fn own_copies() -> Vec<PathBuf> {
    let own = format!("{}-", std::process::id());
    let folders = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut copies: Vec<_> = folders(all_copies())
        .filter(|home| home.file_name().to_string_lossy().starts_with(&own))
        .flat_map(|home| folders(home.path()))
        .map(|copy| copy.path())
        .filter(|copy| copy.is_dir())
        .collect();
    copies.sort();
    copies
}

/// Returns the libraries that this process runs from copies.
#[must_use]
pub fn mapped_copies() -> Vec<String> {
    mapped_below(&all_copies())
}
