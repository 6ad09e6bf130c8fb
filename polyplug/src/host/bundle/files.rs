//! The files of a bundle, wherever they are: in a folder, or in a pack.

use std::path::{Path, PathBuf};
#[cfg(feature = "packs")]
use std::sync::Arc;

use super::file::{read_bundle_file, real_path};
#[cfg(feature = "packs")]
use super::pack::Pack;
use crate::host::error::file::FileError;

/// The files of a bundle, wherever they are: in a folder, or in a pack that is in memory.
///
/// Paths of files are relative to the bundle.
#[derive(Debug, Clone)]
pub struct Files(Place);

#[derive(Debug, Clone)]
enum Place {
    Folder(PathBuf),
    #[cfg(feature = "packs")]
    Pack(Arc<Pack>),
}

impl Files {
    /// Makes the files of the bundle in a folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self(Place::Folder(folder.to_owned()))
    }

    /// Makes the files of a pack.
    #[cfg(feature = "packs")]
    pub(crate) fn in_pack(pack: &Arc<Pack>) -> Self {
        Self(Place::Pack(Arc::clone(pack)))
    }

    /// Returns the folder, or `None` if the files are in a pack.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Place::Folder(folder) => Some(folder),
            #[cfg(feature = "packs")]
            Place::Pack(_) => None,
        }
    }

    /// Returns the folder, or the file of the pack. Errors name files by paths below it.
    #[must_use]
    pub fn root(&self) -> &Path {
        match &self.0 {
            Place::Folder(folder) => folder,
            #[cfg(feature = "packs")]
            Place::Pack(pack) => pack.path(),
        }
    }

    /// Reads a whole file, as [`read_bundle_file`] does. `what` says what the file is read as, with its article, such as "a
    /// program".
    ///
    /// # Errors
    ///
    /// Any [`FileError`]. An error names the file as a path below [`root`](Self::root).
    #[inline]
    pub fn read(&self, file: impl AsRef<Path>, what: &'static str, limit: u64) -> Result<Vec<u8>, FileError> {
        self.read_at(file.as_ref(), what, limit)
    }

    fn read_at(&self, file: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, FileError> {
        match &self.0 {
            Place::Folder(folder) => read_bundle_file(folder, file, what, limit),
            #[cfg(feature = "packs")]
            Place::Pack(pack) => pack.read(file, what, limit),
        }
    }

    /// Returns whether there is a file at a path, or a link to one.
    #[must_use]
    #[inline]
    pub fn is_file(&self, file: impl AsRef<Path>) -> bool {
        self.is_file_at(file.as_ref())
    }

    fn is_file_at(&self, file: &Path) -> bool {
        match &self.0 {
            Place::Folder(folder) => folder.join(file).is_file(),
            #[cfg(feature = "packs")]
            Place::Pack(pack) => pack.is_file(file),
        }
    }

    /// Checks that no link on the way to a file leads out of the bundle. In a pack there are no links.
    ///
    /// # Errors
    ///
    /// [`FileError::Outside`] or [`FileError::Unreadable`].
    #[inline]
    pub fn check_inside(&self, file: impl AsRef<Path>) -> Result<(), FileError> {
        self.check_inside_at(file.as_ref())
    }

    fn check_inside_at(&self, file: &Path) -> Result<(), FileError> {
        match &self.0 {
            Place::Folder(folder) => real_path(folder, folder.join(file)).map(drop),
            #[cfg(feature = "packs")]
            Place::Pack(_) => Ok(()),
        }
    }

    /// Lists all files with the number of bytes of each, in the order of their paths. Links are listed and
    /// not followed.
    ///
    /// # Errors
    ///
    /// [`FileError::Unreadable`].
    pub fn list(&self) -> Result<Vec<(PathBuf, u64)>, FileError> {
        match &self.0 {
            Place::Folder(folder) => list_folder(folder),
            #[cfg(feature = "packs")]
            Place::Pack(pack) => Ok(pack.files().map(|(name, size)| (PathBuf::from(name), size)).collect()),
        }
    }

    /// Returns the names of the files and folders that lie in no further folder, as far as they can be listed.
    pub(crate) fn names(&self) -> Vec<String> {
        match &self.0 {
            Place::Folder(folder) => {
                let entries = folder.read_dir().into_iter().flatten();
                entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
            }
            #[cfg(feature = "packs")]
            Place::Pack(pack) => {
                pack.files().map(|(name, _)| name).filter(|name| !name.contains('/')).map(str::to_owned).collect()
            }
        }
    }
}

fn list_folder(root: &Path) -> Result<Vec<(PathBuf, u64)>, FileError> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(relative) = folders.pop() {
        let at = root.join(&relative);
        let unreadable = |source| FileError::Unreadable { path: at.clone(), source };
        for entry in at.read_dir().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let metadata = entry.metadata();
            let metadata = metadata.map_err(|source| FileError::Unreadable { path: entry.path(), source })?;
            let path = relative.join(entry.file_name());
            if metadata.is_dir() {
                folders.push(path);
            } else {
                found.push((path, metadata.len()));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}
