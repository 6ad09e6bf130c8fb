//! The copy of the files of a tree.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::file::{Stamp, open_file};
use super::process_dir::TemporaryError;
use super::tree::{Artifact, Kind, Target, Tree};
use crate::host::error::file::FileError;

/// The reason why a bundle cannot be copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    #[error("{0}")]
    Unreadable(io::Error),
    #[error("{0}")]
    Fault(String),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Temporary(#[from] TemporaryError),
    #[error("its files changed meanwhile, {} for one: try again when they are complete", .0.display())]
    Changed(PathBuf),
}

/// Copies the files of a tree. A link to a file of the bundle is replaced by a copy of its target, never by a hard
/// link, which would be the same file. A link to a folder becomes a link to the copy of the folder.
pub(crate) fn copy_tree(tree: &Tree, to: &Path) -> Result<(), CopyError> {
    for (folder, nodes) in &tree.folders {
        let (from, into) = (tree.root.join(folder), to.join(folder));
        if !folder.as_os_str().is_empty() {
            fs::create_dir(&into).map_err(TemporaryError::at(&into))?;
        }
        for node in nodes {
            let target = into.join(&node.name);
            match &node.kind {
                Kind::File(stamp) => copy_file(&from.join(&node.name), stamp, &target)?,
                Kind::Link { target: Target::File(real, stamp), .. } => {
                    copy_file(&tree.root.join(real), stamp, &target)?;
                }
                Kind::Link { target: Target::Folder(real), .. } => {
                    link(&way(folder, real), &target).map_err(TemporaryError::at(&target))?;
                }
                Kind::Folder | Kind::Link { .. } | Kind::Other => {}
            }
        }
    }
    if let Artifact::Beside { path, real, stamp } = &tree.artifact {
        let target = to.join(path);
        if let Some(directory) = target.parent() {
            fs::create_dir_all(directory).map_err(TemporaryError::at(directory))?;
        }
        copy_file(real, stamp, &target)?;
    }
    Ok(())
}

/// Copies a file that must be the one that `stamp` was taken of.
fn copy_file(from: &Path, stamp: &Stamp, to: &Path) -> Result<(), CopyError> {
    let changed = || CopyError::Changed(from.to_owned());
    let file = match open_file(from) {
        Err(error) if error.is_missing() => return Err(changed()),
        other => other?,
    };
    let unreadable = |source| CopyError::File(FileError::Unreadable { path: from.to_owned(), source });
    let found = file.metadata().map_err(unreadable)?;
    if Stamp::of(&found) != *stamp {
        return Err(changed());
    }
    let at_target = TemporaryError::at(to);
    let mut target = OpenOptions::new().write(true).create_new(true).open(to).map_err(&at_target)?;
    // Limited, as the file may grow.
    let copied = io::copy(&mut io::Read::take(&file, stamp.len.saturating_add(1)), &mut target);
    let copied =
        copied.map_err(|error| if is_of_target(&error) { at_target(error).into() } else { unreadable(error) })?;
    if copied != stamp.len || file.metadata().map_or(true, |after| Stamp::of(&after) != *stamp) {
        return Err(changed());
    }
    set_permissions(&target, &found).map_err(TemporaryError::at(to))?;
    Ok(())
}

/// Returns whether the system cannot write, rather than read.
fn is_of_target(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull, WriteZero};
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem | FileTooLarge | WriteZero)
}

/// Gives a copy the permissions of its original, without those that make a program run as another user.
#[cfg(unix)]
fn set_permissions(copy: &File, original: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    copy.set_permissions(fs::Permissions::from_mode(original.permissions().mode() & 0o777))
}

#[cfg(not(unix))]
fn set_permissions(_: &File, _: &fs::Metadata) -> io::Result<()> {
    Ok(()) // a copy that is read-only could not be removed there
}

/// Returns the path from a folder to another one, both relative to the same folder.
fn way(from: &Path, to: &Path) -> PathBuf {
    from.components().map(|_| Path::new("..")).chain([to]).collect()
}

#[cfg(unix)]
fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(target, link)
}
