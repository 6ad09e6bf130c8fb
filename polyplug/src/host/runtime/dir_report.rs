//! The outcome of loading a directory of bundles.

use std::fmt;
use std::path::{Path, PathBuf};

use polyplug_abi::BundleId;

use crate::host::error::dependency::each;
use crate::host::error::runtime::RuntimeError;
use crate::host::error::text::list;

/// The outcome of [`Runtime::load_dir`](crate::Runtime::load_dir).
///
/// The [`Display`](fmt::Display) of a report lists the loaded bundles, and each problem with what to do.
#[derive(Debug, Clone)]
#[must_use = "the problems are in the report: print it, or call `into_result`"]
#[non_exhaustive]
pub struct DirReport {
    /// The directory, as an absolute path.
    pub directory: PathBuf,
    /// The bundles that were loaded, in the order of loading.
    pub loaded: Vec<LoadedBundle>,
    /// The reasons why other bundles were not loaded, and why entries of the directory are no bundles.
    pub problems: Vec<RuntimeError>,
    /// The entries of the directory that have nothing of a bundle, and those with a manifest that are hidden or have
    /// the name of a backup.
    pub ignored: Vec<PathBuf>,
}

/// A bundle that was loaded from a directory of bundles.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadedBundle {
    /// The bundle's id.
    pub id: BundleId,
    /// The bundle's name.
    pub name: String,
    /// The version in the bundle's manifest.
    pub version: semver::Version,
    /// The bundle's directory, or its pack.
    pub directory: PathBuf,
}

impl DirReport {
    pub(crate) fn of_problem(directory: &Path, problem: RuntimeError) -> Self {
        Self { directory: directory.to_owned(), loaded: Vec::new(), problems: vec![problem], ignored: Vec::new() }
    }

    /// Returns the ids of the loaded bundles, in the order of loading.
    #[must_use]
    pub fn ids(&self) -> Vec<BundleId> {
        self.loaded.iter().map(|bundle| bundle.id).collect()
    }

    /// Returns the names of the loaded bundles, in the order of loading.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.loaded.iter().map(|bundle| bundle.name.clone()).collect()
    }

    /// Returns the report if it has no problems. The bundles that were loaded stay loaded in either case.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Directory`] with all problems, or, if the directory itself could not be listed,
    /// [`RuntimeError::NoDirectory`] or [`RuntimeError::DirectoryUnreadable`].
    pub fn into_result(mut self) -> Result<Self, RuntimeError> {
        let is_about_directory = |problem: &RuntimeError| {
            matches!(problem, RuntimeError::NoDirectory { .. } | RuntimeError::DirectoryUnreadable { .. })
        };
        match self.problems.pop_if(|problem| is_about_directory(problem)) {
            Some(problem) => Err(problem),
            None if self.problems.is_empty() => Ok(self),
            None => {
                let loaded = self.ids();
                Err(RuntimeError::Directory { directory: self.directory, loaded, failures: self.problems })
            }
        }
    }
}

impl fmt::Display for DirReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.directory.display())?;
        match self.loaded.len() {
            0 if self.problems.is_empty() => f.write_str("there is no bundle to load")?,
            0 => f.write_str("no bundle was loaded")?,
            1 => write!(f, "1 bundle was loaded, {}", list(&self.names()))?,
            count => write!(f, "{count} bundles were loaded, {}", list(&self.names()))?,
        }
        f.write_str(&each(&self.problems))?;
        if !self.ignored.is_empty() {
            let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let names: Vec<_> = self.ignored.iter().map(name).collect();
            write!(f, "\n  ignored: {}", list(&names))?;
        }
        Ok(())
    }
}

impl fmt::Display for LoadedBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} from {}", self.name, self.version, self.directory.display())
    }
}
