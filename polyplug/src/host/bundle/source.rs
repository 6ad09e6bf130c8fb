//! The source of a bundle's artifact.

use std::path::PathBuf;

/// The source of a bundle's artifact.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BundleSource {
    /// The bundle's directory, or the file of its pack for a loader that
    /// [runs from packs](crate::loader::BundleLoader::runs_from_packs).
    Path(PathBuf),
    /// Source text in memory.
    Code(String),
    /// An artifact in memory.
    Bytes(Vec<u8>),
}

impl BundleSource {
    /// Returns `path`, `code` or `bytes`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Path(_) => "path",
            Self::Code(_) => "code",
            Self::Bytes(_) => "bytes",
        }
    }
}
