//! The files of a bundle that is about to be loaded: its private copy, and the check of its signature.

use std::path::Path;
#[cfg(feature = "packs")]
use std::sync::Arc;

use super::bundles::Origin;
use super::loader::BundleLoader;
#[cfg(feature = "packs")]
use super::options::runs_from_packs;
use super::options::{check_options, reads_files_later, shared_dirs};
use super::runtime::Runtime;
use crate::host::bundle::files::Files;
use crate::host::bundle::fingerprint::Fingerprint;
use crate::host::bundle::manifest::ManifestData;
#[cfg(feature = "packs")]
use crate::host::bundle::pack::Pack;
use crate::host::bundle::private_copy::PrivateCopy;
use crate::host::bundle::settled_files::SettledFiles;
#[cfg(feature = "packs")]
use crate::host::bundle::settled_pack::settled_pack;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::bundle::source::BundleSource;
use crate::host::error::loader::LoaderError;
#[cfg(feature = "packs")]
use crate::host::error::manifest::ManifestError;
#[cfg(feature = "packs")]
use crate::host::error::pack::PackError;
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
    /// The fingerprint of the pack that the version runs from.
    pack: Option<Fingerprint>,
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

    /// Returns the files that the code runs from, or `None` for a bundle in memory.
    pub(crate) fn run_files(&self) -> Option<Files> {
        match (&self.copy, &self.source) {
            (Some(copy), _) => Some(Files::in_folder(copy.path())),
            (None, BundleSource::Path(_)) => Some(self.manifest.files()),
            (None, _) => None,
        }
    }

    /// Returns the bundle's own directory, or `None` for a bundle in memory or in a pack.
    pub(crate) fn directory(&self) -> Option<&Path> {
        let has_one = matches!(self.source, BundleSource::Path(_)) && self.manifest.files().folder().is_some();
        has_one.then_some(&self.manifest.path)
    }

    /// Returns the manifest and the source as a loader gets them, the origin, and the private copy. The copy must be
    /// kept as long as the code.
    pub(crate) fn into_parts(self) -> (ManifestData, BundleSource, Origin, Option<PrivateCopy>) {
        let Self { mut manifest, mut source, copy, pack, settled, shared_dirs } = self;
        let origin = Origin {
            version: manifest.version.clone(),
            directory: matches!(source, BundleSource::Path(_)).then(|| manifest.path.clone()),
            fingerprint: copy
                .as_ref()
                .map(PrivateCopy::fingerprint)
                .or(settled.as_ref().map(SettledFiles::fingerprint))
                .or(pack.as_ref())
                .cloned(),
            shared_dirs,
        };
        if let Some(copy) = &copy {
            manifest.path = copy.path().to_owned();
            #[cfg(feature = "packs")]
            {
                manifest.pack = None;
            }
            source = BundleSource::Path(manifest.path.clone());
        }
        (manifest, source, origin, copy)
    }
}

impl Runtime {
    /// Prepares the files of a bundle before any of its code runs. Of a pack, does what `prepare_pack` does. Makes a private
    /// copy of a folder if signatures are checked, or if hot reload is on and the version may read files later, and checks the copy's signature. Merges the host's settings into those of the manifest.
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
        let shared = SharedDirs::default();
        let mut files = BundleFiles { manifest, source, copy: None, pack: None, settled: None, shared_dirs: shared };
        if !matches!(files.source, BundleSource::Path(_)) {
            #[cfg(feature = "signatures")]
            self.parts().signatures.check_unsigned(&files.manifest, files.source.kind())?;
        } else if files.manifest.files().folder().is_none() {
            #[cfg(feature = "packs")]
            self.prepare_pack(&mut files, manifest_source, loader)?;
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

    /// Reads the pack of a bundle into memory, and everything else from there, as the file may change at any time. Checks its
    /// signature. Unpacks the pack into a private copy, unless the loader runs the bundle from the pack.
    #[cfg(feature = "packs")]
    fn prepare_pack(
        &self,
        files: &mut BundleFiles,
        manifest_source: ManifestSource,
        loader: &dyn BundleLoader,
    ) -> Result<(), RuntimeError> {
        let (pack, fingerprint) = settled_pack(&files.manifest, self.config().hot_reload_enabled)?;
        at_pack(&pack, pack.check_limits(self.parts().bundle_limits))?;
        let manifest = &mut files.manifest;
        let pack = match manifest_source {
            ManifestSource::Inline => Arc::clone(manifest.pack.insert(Arc::new(pack))),
            ManifestSource::Directory => {
                let (read, pack) = ManifestData::of_pack(pack)?;
                if (&read.name, &read.loader) != (&manifest.name, &manifest.loader) {
                    return Err(changed(manifest));
                }
                *manifest = read;
                check_options(loader, manifest)?;
                pack
            }
        };
        manifest.find_artifact()?;
        shared_dirs(loader, manifest)?;
        #[cfg(feature = "signatures")]
        self.parts().signatures.check_pack(manifest, &pack)?;
        if runs_from_packs(loader, manifest)? {
            files.pack = Some(fingerprint);
        } else {
            files.copy = Some(PrivateCopy::unpack(&pack, &manifest.name, fingerprint)?);
        }
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
    let mut read = ManifestData::read(copy.path())?;
    if (&read.name, &read.loader) != (&manifest.name, &manifest.loader) {
        return Err(changed(manifest));
    }
    check_options(loader, &read)?;
    read.find_artifact()?;
    read.path.clone_from(&manifest.path);
    read.origin.clone_from(&manifest.origin);
    if shared_dirs(loader, &read)? != *copy.shared_dirs() {
        return Err(changed(manifest));
    }
    Ok(read)
}

fn changed(manifest: &ManifestData) -> RuntimeError {
    let reason = "its manifest changed while it was loaded: try again when its files are complete".to_owned();
    LoaderError::Failed { bundle: manifest.name.clone(), reason }.into()
}

/// Returns the outcome of a check of a pack, whose error names the pack's file.
#[cfg(feature = "packs")]
fn at_pack(pack: &Pack, outcome: Result<(), PackError>) -> Result<(), RuntimeError> {
    outcome.map_err(|source| ManifestError::Pack { path: pack.path().to_owned(), source }.into())
}
