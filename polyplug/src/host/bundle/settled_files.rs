//! The files of a bundle that is loaded from its own directory while hot reload is on.

use std::path::{Path, PathBuf};

use super::copy_tree::CopyError;
use super::fingerprint::Fingerprint;
use super::limits::BundleLimits;
use super::manifest::ManifestData;
use super::original::{LOOKS, Original};
use super::shared_dirs::SharedDirs;
use crate::host::error::loader::LoaderError;
use crate::host::error::runtime::RuntimeError;

/// The files of a bundle at a moment when none of them had changed for a while. For loaders that read everything while they
/// load a bundle, which need no private copy.
#[derive(Clone)]
pub(crate) struct SettledFiles {
    bundle: String,
    root: PathBuf,
    artifact: PathBuf,
    shared_dirs: SharedDirs,
    limits: BundleLimits,
    fingerprint: Fingerprint,
}

impl SettledFiles {
    /// Waits until the files of the bundle of `manifest` have settled. Refuses a bundle that could not be copied either.
    pub(crate) fn wait(
        manifest: &ManifestData,
        shared_dirs: &SharedDirs,
        limits: BundleLimits,
    ) -> Result<Self, RuntimeError> {
        let failed = |error| failed(&manifest.name, &manifest.path, &error);
        let root = manifest.path.canonicalize().map_err(|error| failed(CopyError::Unreadable(error)))?;
        let original = Original { root: &root, artifact: Path::new(&manifest.file), shared_dirs, limits };
        let (tree, fingerprint) = original.settled(&mut { LOOKS }).map_err(failed)?;
        original.check(&tree, &manifest.name).map_err(failed)?;
        let (bundle, artifact) = (manifest.name.clone(), PathBuf::from(&manifest.file));
        Ok(Self { bundle, root, artifact, shared_dirs: shared_dirs.clone(), limits, fingerprint })
    }

    /// Returns the fingerprint of the files.
    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Checks that no file has changed since.
    pub(crate) fn check_unchanged(&self) -> Result<(), RuntimeError> {
        let Self { bundle, root, artifact, shared_dirs, limits, fingerprint } = self;
        let (_, after) = Original { root, artifact, shared_dirs, limits: *limits }.look();
        if after == *fingerprint {
            return Ok(());
        }
        let latest = after.latest().map_or(Path::new(""), |(path, _)| path);
        Err(failed(bundle, root, &CopyError::Changed(root.join(latest))))
    }
}

fn failed(bundle: &str, directory: &Path, error: &CopyError) -> RuntimeError {
    let reason = format!("it cannot be loaded from {}: {error}", directory.display());
    LoaderError::Failed { bundle: bundle.to_owned(), reason }.into()
}
