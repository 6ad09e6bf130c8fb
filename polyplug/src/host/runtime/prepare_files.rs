//! The private copies that versions run from.

use super::loader::{BundleLoader, BundleSource};
use super::options::{check_options, in_place};
use super::runtime::Runtime;
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::private_copy::PrivateCopy;
use crate::host::error::{LoaderError, RuntimeError};

/// Whose word a manifest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// The bundle's: it was read from its directory.
    Bundles,
    /// The host's: it gave the text.
    Hosts,
}

impl Runtime {
    /// What has to happen to a bundle that is about to be loaded before it may say anything: a private copy, if it is
    /// to run from one, and a look at its signature.
    pub(crate) fn take_in(
        &self,
        manifest: &mut ManifestData,
        word: Word,
        source: &BundleSource,
        loader: &dyn BundleLoader,
    ) -> Result<Option<PrivateCopy>, RuntimeError> {
        if !matches!(source, BundleSource::Path(_)) {
            #[cfg(feature = "signatures")]
            self.signatures.pass_unsigned(manifest, source.kind())?;
            return Ok(None);
        }
        if !self.config.hot_reload_enabled && !self.looks_at_signatures() {
            return in_place(loader, manifest).map(|_| None);
        }
        self.copy(manifest, word, loader).map(Some)
    }

    /// Copies a bundle. Where signatures count, the copy is what they are held against, and everything comes from there
    /// from then on, `manifest` as well: the original may be changed at any time by whoever may write to it. The path in
    /// `manifest` stays that of the original.
    pub(crate) fn copy(
        &self,
        manifest: &mut ManifestData,
        word: Word,
        loader: &dyn BundleLoader,
    ) -> Result<PrivateCopy, RuntimeError> {
        let in_place = in_place(loader, manifest)?;
        #[cfg(feature = "signatures")]
        self.signatures.pass_in_place(manifest, &in_place)?;
        let copy = PrivateCopy::make(manifest, in_place)?;
        #[cfg(feature = "signatures")]
        self.signatures.pass(manifest, copy.path())?;
        if self.looks_at_signatures() && word == Word::Bundles {
            *manifest = reread(manifest, &copy, loader)
                .map_err(|error| error.at_original(copy.path(), Some(&manifest.path)))?;
        }
        #[cfg(feature = "signatures")]
        if self.signatures.is_strict() {
            // What is left in place may have come there after the look.
            manifest.origin = copy.path().to_owned();
        }
        Ok(copy)
    }

    #[cfg(feature = "signatures")]
    fn looks_at_signatures(&self) -> bool {
        self.signatures.is_watched()
    }

    #[cfg(not(feature = "signatures"))]
    fn looks_at_signatures(&self) -> bool {
        false
    }
}

/// The manifest in `copy`, of the bundle for which `manifest` was read from the original before.
fn reread(
    manifest: &ManifestData,
    copy: &PrivateCopy,
    loader: &dyn BundleLoader,
) -> Result<ManifestData, RuntimeError> {
    let changed = || {
        let reason = "its manifest changed while it was loaded: try again when its files are complete".to_owned();
        RuntimeError::from(LoaderError::Failed { bundle: manifest.name.clone(), reason })
    };
    let mut read = ManifestData::read(copy.path())?;
    if (&read.name, &read.loader) != (&manifest.name, &manifest.loader) {
        return Err(changed());
    }
    check_options(loader, &read)?;
    read.find_artifact()?;
    read.path.clone_from(&manifest.path);
    read.origin.clone_from(&manifest.origin);
    if in_place(loader, &read)? != *copy.in_place() {
        return Err(changed());
    }
    Ok(read)
}
