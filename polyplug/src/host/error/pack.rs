//! The errors of packs.

use std::io;
use std::sync::Arc;

/// The reason why a pack cannot be read or written. A text that shows this error names the pack's file before it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The program was built without the feature that reads packs.
    #[error(
        "this program does not read packs: build it with the feature `packs` of the crate `polyplug`, or unpack the file \
         into a folder and load the folder"
    )]
    Disabled,

    /// The file is no archive, or is not complete.
    #[error("it is no pack, or not a whole one: {reason}: copy or make it anew with `polyplug pack`")]
    Malformed {
        /// The fault of the archive.
        reason: String,
    },

    /// An entry of the archive cannot be a file of a bundle.
    #[error("the entry {entry:?} {reason}")]
    Entry {
        /// The entry's name, as written in the archive.
        entry: String,
        /// The fault of the entry, and what to do.
        reason: String,
    },

    /// The bundle in the archive has more files or bytes than a bundle may have.
    #[error("{reason}")]
    TooLarge {
        /// The limit that is exceeded, and what to do.
        reason: String,
    },

    /// The archive has no manifest at its root.
    #[error("it has no manifest.toml at its root{}: make it anew with `polyplug pack BUNDLE`", nested(.found.as_deref()))]
    NoManifest {
        /// A manifest further down, if there is one.
        found: Option<String>,
    },

    /// The folder of a bundle cannot be packed.
    #[error("{reason}")]
    Unpackable {
        /// The fault of the folder, and what to do.
        reason: String,
    },

    /// The file cannot be written.
    #[error("cannot be written: {source}")]
    Unwritable {
        /// The error of the operating system.
        source: Arc<io::Error>,
    },
}

fn nested(found: Option<&str>) -> String {
    found.map_or_else(String::new, |found| format!(", but {found:?}: the files of the bundle's folder belong there"))
}
