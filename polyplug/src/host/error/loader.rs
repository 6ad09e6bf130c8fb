//! The errors of loaders.

use std::path::PathBuf;

use super::text::paths;

impl LoaderError {
    /// Returns the error of a start-up that failed without a code of its own.
    #[must_use]
    pub fn init_failed(bundle: impl Into<String>, error: impl Into<String>) -> Self {
        let code = polyplug_abi::AbiErrorCode::Generic as u32;
        Self::InitFailed { bundle: bundle.into(), code, error: error.into() }
    }
}

/// The failure of a loader to load a bundle.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LoaderError {
    /// The artifact that the manifest names does not exist.
    #[error("bundle `{bundle}`: there is no {}: build the artifact, or correct `file` in manifest.toml", paths(.tried))]
    ArtifactMissing {
        /// The bundle's name.
        bundle: String,
        /// The paths that were tried.
        tried: Vec<PathBuf>,
    },

    /// The artifact is outside the bundle's folder.
    #[error("bundle `{bundle}`: `file` leads to {}, outside of the bundle: an artifact lies in its bundle's folder", .path.display())]
    ArtifactOutside {
        /// The bundle's name.
        bundle: String,
        /// The path that `file` leads to.
        path: PathBuf,
    },

    /// The artifact is not what its loader loads.
    #[error("bundle `{bundle}`: {}: {reason}", .path.display())]
    ArtifactInvalid {
        /// The bundle's name.
        bundle: String,
        /// The artifact.
        path: PathBuf,
        /// The reason, and what to do.
        reason: String,
    },

    /// The artifact was built for another version of the ABI.
    #[error(
        "bundle `{bundle}`: {} speaks version {}.{} of polyplug's ABI and this host {}.{}: \
         build both with the same major version of polyplug",
        .path.display(), .found >> 16, .found & 0xffff, .expected >> 16, .expected & 0xffff
    )]
    AbiVersion {
        /// The bundle's name.
        bundle: String,
        /// The artifact.
        path: PathBuf,
        /// The host's version, packed.
        expected: u32,
        /// The artifact's version, packed.
        found: u32,
    },

    /// The bundle's start-up failed.
    #[error("bundle `{bundle}`: could not be started: {error}")]
    InitFailed {
        /// The bundle's name.
        bundle: String,
        /// The code that the bundle's start-up reported, or else that of
        /// [`AbiErrorCode::Generic`](polyplug_abi::AbiErrorCode::Generic).
        code: u32,
        /// The error text of the start-up.
        error: String,
    },

    /// The bundle started, but registered no plugin.
    #[error("bundle `{bundle}`: registered no plugin: does its code declare one, in Rust with `#[polyplug::plugin]`?")]
    NothingRegistered {
        /// The bundle's name.
        bundle: String,
    },

    /// The loader cannot load from this kind of source.
    #[error("bundle `{bundle}`: the loader `{loader}` cannot load from {source_kind}")]
    UnsupportedBundleSource {
        /// The loader's name.
        loader: &'static str,
        /// The kind of the source: `path`, `code` or `bytes`.
        source_kind: &'static str,
        /// The bundle's name.
        bundle: String,
    },

    /// The operation needs a bundle that is being loaded on this thread.
    #[error("bundle {id} is not being loaded on this thread")]
    NotLoading {
        /// The bundle's id.
        id: polyplug_abi::BundleId,
    },

    /// Another failure of the loader.
    #[error("bundle `{bundle}`: {reason}")]
    Failed {
        /// The bundle's name.
        bundle: String,
        /// The reason, and what to do.
        reason: String,
    },
}

crate::debug_text::debug_as_display!(LoaderError);
