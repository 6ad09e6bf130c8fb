//! The errors of reading a bundle's files.

use std::io;
use std::path::{Path, PathBuf};

/// The reason why a file of a bundle is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system cannot open or read the file.
    #[error("{}: cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },

    /// There is a folder, a pipe or a device at the path. Reading a pipe may wait for ever, and a device may have no
    /// end.
    #[error("{}: it is no file, but {kind}: put a file in its place, or remove it", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// The kind of what is there, with its article.
        kind: &'static str,
    },

    /// The file is longer than any file of its kind needs to be.
    #[error("{}: {size} bytes are too many for {what} (at most {limit}): is this the right file?", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What the file is read as, with its article.
        what: &'static str,
        /// The file's size in bytes.
        size: u64,
        /// The greatest size allowed, in bytes.
        limit: u64,
    },

    /// The file is a link, or lies behind a link, that leads out of the bundle's directory.
    #[error("{}: leads to {}, outside of the bundle: put what the link leads to in its place", .path.display(), .real.display())]
    Outside {
        /// The file, as a path in the bundle's directory.
        path: PathBuf,
        /// The file that the links lead to.
        real: PathBuf,
    },

    /// The file was written to each time that it was read.
    #[error("{}: it changed while it was read: try again when it is complete", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

impl FileError {
    /// Returns whether there is nothing at the path.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        let missing = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        matches!(self, Self::Unreadable { source, .. } if missing.contains(&source.kind()))
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        let (Self::Unreadable { path, .. }
        | Self::NotAFile { path, .. }
        | Self::TooLarge { path, .. }
        | Self::Outside { path, .. }
        | Self::Changed { path }) = self;
        path
    }

    /// Returns the error as one of the operating system, for a message that names the file itself.
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Unreadable { source, .. } => source,
            other => {
                let text = other.to_string();
                let reason = text.strip_prefix(&format!("{}: ", other.path().display())).unwrap_or(&text);
                io::Error::other(reason.to_owned())
            }
        }
    }
}
