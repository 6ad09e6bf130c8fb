//! The files of a bundle that is about to be loaded: where its code runs from, and who has made them.

use std::path::Path;

use super::bundles::Origin;
use super::loader::BundleLoader;
use super::options::{check_options, shared_dirs};
use super::runtime::Runtime;
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::private_copy::PrivateCopy;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::bundle::source::BundleSource;
use crate::host::error::loader::LoaderError;
use crate::host::error::runtime::RuntimeError;

/// Where a manifest comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ManifestSource {
    /// The bundle's directory.
    Directory,
    /// The host, which gave its text.
    Inline,
}

/// A bundle that is about to be loaded.
pub(crate) struct BundleFiles {
    /// The manifest. Its path is the bundle's own directory, which errors name; [`run_path`](Self::run_path) is where the
    /// code runs from.
    pub(crate) manifest: ManifestData,
    source: BundleSource,
    copy: Option<PrivateCopy>,
    /// Folders that are used where they lie.
    shared_dirs: SharedDirs,
}

impl BundleFiles {
    /// Returns the directory that the code runs from; none for a bundle in memory.
    pub(crate) fn run_path(&self) -> Option<&Path> {
        match (&self.copy, &self.source) {
            (Some(copy), _) => Some(copy.path()),
            (None, BundleSource::Path(path)) => Some(path),
            (None, _) => None,
        }
    }

    /// Takes the files apart: the manifest and the source as a loader gets them, where they come from, and the private
    /// copy, which has to be kept for as long as the code.
    pub(crate) fn into_parts(self) -> (ManifestData, BundleSource, Origin, Option<PrivateCopy>) {
        let Self { mut manifest, mut source, copy, shared_dirs } = self;
        let origin = Origin {
            version: manifest.version.clone(),
            directory: matches!(source, BundleSource::Path(_)).then(|| manifest.path.clone()),
            fingerprint: copy.as_ref().map(|copy| copy.fingerprint().clone()),
            shared_dirs,
        };
        if let Some(copy) = &copy {
            manifest.path = copy.path().to_owned();
            source = BundleSource::Path(manifest.path.clone());
        }
        (manifest, source, origin, copy)
    }
}

impl Runtime {
    /// Prepares the files of a bundle before any of its code runs: makes a private copy where hot reload is on or
    /// signatures are looked at, and looks at its signature. Puts the host's configuration over that of the manifest.
    ///
    /// # Errors
    ///
    /// The copy cannot be made, or the policy for signatures refuses the bundle.
    pub(crate) fn prepare_files(
        &self,
        manifest: ManifestData,
        manifest_source: ManifestSource,
        source: BundleSource,
        loader: &dyn BundleLoader,
    ) -> Result<BundleFiles, RuntimeError> {
        let mut files = BundleFiles { manifest, source, copy: None, shared_dirs: SharedDirs::default() };
        if !matches!(files.source, BundleSource::Path(_)) {
            #[cfg(feature = "signatures")]
            self.parts().signatures.check_unsigned(&files.manifest, files.source.kind())?;
        } else {
            files.shared_dirs = shared_dirs(loader, &files.manifest)?;
            if self.config().hot_reload_enabled || self.looks_at_signatures() {
                self.copy(&mut files, manifest_source, loader)?;
            } else {
                files.shared_dirs = SharedDirs::default(); // nobody watches the bundle
            }
        }
        self.config_overrides().apply(files.manifest.id, &mut files.manifest.config);
        Ok(files)
    }

    /// Copies a bundle. Where signatures count, the copy is what they are held against, and everything comes from there
    /// from then on, the manifest as well: whoever may write to the original may change it at any time.
    fn copy(
        &self,
        files: &mut BundleFiles,
        manifest_source: ManifestSource,
        loader: &dyn BundleLoader,
    ) -> Result<(), RuntimeError> {
        let BundleFiles { manifest, shared_dirs, .. } = files;
        #[cfg(feature = "signatures")]
        self.parts().signatures.check_shared_dirs(manifest, shared_dirs)?;
        let copy = PrivateCopy::make(manifest, shared_dirs.clone())?;
        #[cfg(feature = "signatures")]
        self.parts().signatures.check(manifest, copy.path())?;
        if self.looks_at_signatures() && manifest_source == ManifestSource::Directory {
            *manifest = reread(manifest, &copy, loader)
                .map_err(|error| error.at_original(copy.path(), Some(&manifest.path)))?;
        }
        #[cfg(feature = "signatures")]
        if self.parts().signatures.is_strict() {
            // What is left in place may have come there after the look.
            manifest.origin = copy.path().to_owned();
        }
        files.copy = Some(copy);
        Ok(())
    }

    fn looks_at_signatures(&self) -> bool {
        #[cfg(feature = "signatures")]
        return self.parts().signatures.is_watched();
        #[cfg(not(feature = "signatures"))]
        false
    }
}

/// Reads the manifest in `copy`, of the bundle for which `manifest` was read from the original before.
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
    if shared_dirs(loader, &read)? != *copy.shared_dirs() {
        return Err(changed());
    }
    Ok(read)
}
