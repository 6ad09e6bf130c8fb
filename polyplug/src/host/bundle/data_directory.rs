//! The folder in which a bundle keeps its data.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::names::folder_name;

/// The folder in which a bundle keeps its data: one for all versions of a bundle, made when it is first asked for.
pub(crate) struct DataDirectory {
    bundle: String,
    /// Absent if the host gives bundles no such folder.
    path: Option<PathBuf>,
}

/// The reason why a bundle has no folder for its data.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirectoryError {
    #[error(
        "bundle `{bundle}` has no folder for its data: let the host name a folder for all bundles, with \
         `Runtime::builder().data_directory(..)`, or in C with `data_directory` of the configuration"
    )]
    NotSet { bundle: String },
    #[error(
        "bundle `{bundle}` has no folder for its data: {} cannot be made: {source}: make room for it, or let the host \
         name a folder in which it may write, with `Runtime::builder().data_directory(..)`",
        .path.display()
    )]
    Unusable { bundle: String, path: PathBuf, source: io::Error },
}

impl DataDirectoryError {
    /// Returns whether the host gives bundles no such folder.
    pub(crate) fn is_not_set(&self) -> bool {
        matches!(self, Self::NotSet { .. })
    }
}

impl DataDirectory {
    /// Returns the folder of `bundle` below `root`, the host's folder for the data of all bundles. Makes nothing.
    pub(crate) fn new(root: Option<&Path>, bundle: &str) -> Self {
        Self { bundle: bundle.to_owned(), path: root.map(|root| root.join(folder_name(bundle))) }
    }

    /// Returns the folder's path, which may not exist yet.
    pub(crate) fn path(&self) -> Result<&Path, DataDirectoryError> {
        self.path.as_deref().ok_or_else(|| DataDirectoryError::NotSet { bundle: self.bundle.clone() })
    }

    /// Returns the folder, and makes the folder if it does not exist.
    pub(crate) fn make(&self) -> Result<&Path, DataDirectoryError> {
        let path = self.path()?;
        fs::create_dir_all(path).map_err(|source| DataDirectoryError::Unusable {
            bundle: self.bundle.clone(),
            path: path.to_owned(),
            source: in_the_way(path).unwrap_or(source),
        })?;
        Ok(path)
    }
}

/// Returns the error of a path that leads through something that is no folder, or that leads to such a thing.
fn in_the_way(path: &Path) -> Option<io::Error> {
    let there = path.ancestors().find(|part| part.symlink_metadata().is_ok())?;
    (!there.is_dir()).then(|| io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is no folder", there.display())))
}

#[cfg(all(test, not(miri)))] // Miri shows no files
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_made_on_first_use_and_is_the_same_for_all_versions() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("not/yet");
        let first = DataDirectory::new(Some(&below), "calc");
        assert!(!below.exists());
        let path = first.make().unwrap().to_owned();
        assert_eq!(path, below.join("calc"));
        fs::write(path.join("kept"), "").unwrap();
        let next = DataDirectory::new(Some(&below), "calc");
        assert!(next.make().unwrap().join("kept").exists());
        fs::remove_dir_all(&below).unwrap();
        assert!(next.make().unwrap().is_dir(), "it is made again");
    }

    #[test]
    fn the_reason_names_the_folder_and_the_remedy() {
        let error = DataDirectory::new(None, "calc").make().unwrap_err();
        assert!(error.is_not_set() && error.to_string().contains("`calc`"), "{error}");
        assert!(error.to_string().contains("Runtime::builder().data_directory"), "{error}");
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        for root in [&file, &file.join("below")] {
            let error = DataDirectory::new(Some(root), "calc").make().unwrap_err().to_string();
            let is_no_folder = format!("{} is no folder", file.display());
            for part in ["`calc`", &*root.join("calc").to_string_lossy(), &is_no_folder, "data_directory(..)"] {
                assert!(error.contains(part), "{part}: {error}");
            }
        }
        fs::write(root.path().join("calc"), "").unwrap();
        let error = DataDirectory::new(Some(root.path()), "calc").make().unwrap_err().to_string();
        assert!(error.contains("calc is no folder"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_in_the_way() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("calc")).unwrap();
        let error = DataDirectory::new(Some(root.path()), "calc").make().unwrap_err().to_string();
        assert!(error.contains("calc is no folder"), "{error}");
    }
}
