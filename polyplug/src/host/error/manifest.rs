//! The errors of manifests.

use std::path::PathBuf;
use std::sync::Arc;

use super::found::FoundInstead;
use super::pack::PackError;

/// The fault of a bundle's manifest.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The manifest does not exist.
    #[error("{}: no bundle there: {found}", .path.display())]
    Missing {
        /// The manifest that was tried, or a file that is no bundle.
        path: PathBuf,
        /// What is there instead.
        found: Box<FoundInstead>,
    },

    /// The manifest cannot be read.
    #[error("{}: cannot be read: {source}", .path.display())]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// The error of the operating system.
        source: Arc<std::io::Error>,
    },

    /// The bundle is a pack that cannot be read.
    #[error("{}: {source}", .path.display())]
    Pack {
        /// The pack's file.
        path: PathBuf,
        /// The fault of the pack.
        source: PackError,
    },

    /// The manifest is longer than any manifest needs to be.
    #[error("{}: {size} bytes are too many for a manifest (at most {limit}): is this the right file?", .path.display())]
    TooLarge {
        /// The manifest.
        path: PathBuf,
        /// The manifest's size in bytes.
        size: u64,
        /// The greatest size allowed, in bytes.
        limit: u64,
    },

    /// The manifest is not TOML, or a key is wrong.
    #[error("{}:{line}:{column}: {message}", .path.display())]
    Syntax {
        /// The manifest.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The mistake, as text.
        message: String,
    },

    /// A value is not valid.
    #[error("{}: `{key}`: {message}", .path.display())]
    Invalid {
        /// The manifest.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// The mistake, and what to write instead.
        message: String,
    },
}

crate::debug_text::debug_as_display!(ManifestError);
