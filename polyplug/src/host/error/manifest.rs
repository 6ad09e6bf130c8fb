//! Why a manifest is refused.

use std::path::PathBuf;

/// What is wrong with a bundle's manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// There is no manifest.
    #[error("{}: no bundle there: a bundle is a folder with a manifest.toml", .path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },

    /// The manifest cannot be read.
    #[error("{}: cannot be read: {source}", .path.display())]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },

    /// The manifest is longer than any manifest needs to be.
    #[error("{}: {size} bytes are too many for a manifest (at most {limit}): is this the right file?", .path.display())]
    TooLarge {
        /// The manifest.
        path: PathBuf,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },

    /// The manifest is no TOML, or a key is wrong.
    #[error("{}:{line}:{column}: {message}", .path.display())]
    Syntax {
        /// The manifest.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },

    /// A value makes no sense.
    #[error("{}: `{key}`: {message}", .path.display())]
    Invalid {
        /// The manifest.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What is wrong, and what to write.
        message: String,
    },
}
