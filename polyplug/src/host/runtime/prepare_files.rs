//! The files of a bundle that is about to be loaded: its private copy, and the check of its signature.

use std::path::Path;

use super::bundles::Origin;
use super::loader::BundleLoader;
use super::options::{check_options, reads_files_later, shared_dirs};
use super::runtime::Runtime;
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::private_copy::PrivateCopy;
use crate::host::bundle::settled_files::SettledFiles;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::bundle::source::BundleSource;
use crate::host::error::loader::LoaderError;
use crate::host::error::runtime::RuntimeError;

/// The source of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ManifestSource {
    /// The bundle's directory.
    Directory,
    /// The host, which gave its text.
    Inline,
}

/// The manifest and the files of a bundle that is about to be loaded.
pub(crate) struct BundleFiles {
    /// The manifest. Its path is the bundle's own directory, which errors name. The code runs from
    /// [`run_path`](Self::run_path).
    pub(crate) manifest: ManifestData,
    source: BundleSource,
    copy: Option<PrivateCopy>,
    /// The state of the bundle's own directory, if the version is loaded from there although hot reload is on.
    settled: Option<SettledFiles>,
    /// The folders that the loader uses in place.
    shared_dirs: SharedDirs,
}

impl BundleFiles {
    /// Returns the state of the files that must not change while the bundle is loaded.
    pub(crate) fn settled(&self) -> Option<SettledFiles> {
        self.settled.clone()
    }

    /// Returns the directory that the code runs from, or `None` for a bundle in memory.
    pub(crate) fn run_path(&self) -> Option<&Path> {
        match (&self.copy, &self.source) {
            (Some(copy), _) => Some(copy.path()),
            (None, BundleSource::Path(path)) => Some(path),
            (None, _) => None,
        }
    }

    /// Returns the bundle's own directory, or `None` for a bundle in memory.
    pub(crate) fn directory(&self) -> Option<&Path> {
        matches!(self.source, BundleSource::Path(_)).then_some(&self.manifest.path)
    }

    /// Returns the manifest and the source as a loader gets them, the origin, and the private copy. The copy must be
    /// kept as long as the code.
    pub(crate) fn into_parts(self) -> (ManifestData, BundleSource, Origin, Option<PrivateCopy>) {
        let Self { mut manifest, mut source, copy, settled, shared_dirs } = self;
        let origin = Origin {
            version: manifest.version.clone(),
            directory: matches!(source, BundleSource::Path(_)).then(|| manifest.path.clone()),
            fingerprint: copy
                .as_ref()
                .map(PrivateCopy::fingerprint)
                .or(settled.as_ref().map(SettledFiles::fingerprint))
                .cloned(),
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
    /// Prepares the files of a bundle before any of its code runs. Makes a private copy if
    /// signatures are checked, or if hot reload is on and the version may read files later, and checks the copy's signature. Merges the host's settings into those of the manifest.
    ///
    /// # Errors
    ///
    /// The error of making the copy, or the error with which the policy for signatures refuses the bundle.
    pub(crate) fn prepare_files(
        &self,
        manifest: ManifestData,
        manifest_source: ManifestSource,
        source: BundleSource,
        loader: &dyn BundleLoader,
    ) -> Result<BundleFiles, RuntimeError> {
        let mut files = BundleFiles { manifest, source, copy: None, settled: None, shared_dirs: SharedDirs::default() };
        if !matches!(files.source, BundleSource::Path(_)) {
            #[cfg(feature = "signatures")]
            self.parts().signatures.check_unsigned(&files.manifest, files.source.kind())?;
        } else {
            files.shared_dirs = shared_dirs(loader, &files.manifest)?;
            let is_reloaded = self.config().hot_reload_enabled;
            if self.looks_at_signatures() || is_reloaded && reads_files_later(loader, &files.manifest)? {
                self.copy(&mut files, manifest_source, loader)?;
            } else if is_reloaded {
                let limits = self.parts().bundle_limits;
                files.settled = Some(SettledFiles::wait(&files.manifest, &files.shared_dirs, limits)?);
            } else {
                files.shared_dirs = SharedDirs::default(); // no watcher reads them
            }
        }
        self.config_overrides().apply(files.manifest.id, &mut files.manifest.config);
        Ok(files)
    }

    /// Makes a private copy of a bundle. If signatures are checked, checks the copy's signature and reads everything
    /// from the copy from then on, including the manifest, as the original may change at any time. If a signature is
    /// required, a bundle whose signature or lengths are wrong is refused before it is copied.
    fn copy(
        &self,
        files: &mut BundleFiles,
        manifest_source: ManifestSource,
        loader: &dyn BundleLoader,
    ) -> Result<(), RuntimeError> {
        let BundleFiles { manifest, shared_dirs, .. } = files;
        #[cfg(feature = "signatures")]
        {
            self.parts().signatures.check_shared_dirs(manifest, shared_dirs)?;
            self.parts().signatures.check_before_copy(manifest, shared_dirs, self.parts().bundle_limits)?;
        }
        let copy = PrivateCopy::make(manifest, shared_dirs.clone(), self.parts().bundle_limits)?;
        #[cfg(feature = "signatures")]
        self.parts().signatures.check(manifest, copy.path(), self.parts().bundle_limits)?;
        if self.looks_at_signatures() && manifest_source == ManifestSource::Directory {
            *manifest = reread(manifest, &copy, loader)
                .map_err(|error| error.at_original(copy.path(), Some(&manifest.path)))?;
        }
        #[cfg(feature = "signatures")]
        if self.parts().signatures.is_strict() {
            // A folder that is used in place may have been added to the original after the check.
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

/// Reads the manifest in `copy`. `manifest` is that of the original, read before.
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
