//! The questions to a loader about a manifest, before the loader loads the bundle.

use std::path::Path;

use super::guard::guarded;
use super::loader::BundleLoader;
use crate::host::bundle::manifest::{FILE_NAME, ManifestData};
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::bundle::workers::Workers;
use crate::host::error::manifest::ManifestError;
use crate::host::error::runtime::RuntimeError;
use crate::host::error::suggest::with_near_key;

/// Lets the loader check its settings in a manifest, and checks that the loader can do what the manifest asks for.
pub(crate) fn check_options(loader: &dyn BundleLoader, manifest: &ManifestData) -> Result<(), RuntimeError> {
    let workers = manifest.workers;
    if workers != Workers::default() && !guarded(&manifest.name, || Ok(loader.supports_workers()))? {
        let name = loader.loader_name();
        let message = format!("{workers} is asked for, and the loader `{name}` has no workers: remove the key");
        return Err(invalid(manifest, "workers", message));
    }
    let checked = guarded(&manifest.name, || Ok(loader.check_options(&manifest.options)))?;
    checked.map_err(|message| invalid(manifest, loader.loader_name(), with_near_key(&message)))
}

/// Returns the folders that the loader uses in place. The manifest's artifact must have been found.
pub(crate) fn shared_dirs(loader: &dyn BundleLoader, manifest: &ManifestData) -> Result<SharedDirs, RuntimeError> {
    let folders = guarded(&manifest.name, || Ok(loader.shared_dirs(manifest)))?;
    let shared_dirs =
        SharedDirs::new(folders, &manifest.path).map_err(|message| invalid(manifest, loader.loader_name(), message))?;
    match shared_dirs.folder_of(Path::new(&manifest.file), &manifest.path) {
        None => Ok(shared_dirs),
        Some(folder) => Err(invalid(manifest, "file", artifact_in(loader, &manifest.file, folder))),
    }
}

/// Asks the loader whether a version of the bundle may read its files after it was loaded.
pub(crate) fn reads_files_later(loader: &dyn BundleLoader, manifest: &ManifestData) -> Result<bool, RuntimeError> {
    guarded(&manifest.name, || Ok(loader.reads_files_later(manifest)))
}

fn artifact_in(loader: &dyn BundleLoader, file: &str, folder: &Path) -> String {
    format!(
        "\"{file}\" lies in \"{}\", which the loader `{}` uses where it lies, and nothing is loaded from there: put it \
         elsewhere in the bundle's folder",
        folder.display(),
        loader.loader_name()
    )
}

fn invalid(manifest: &ManifestData, key: &'static str, message: String) -> RuntimeError {
    ManifestError::Invalid { path: manifest.path.join(FILE_NAME), key, message }.into()
}
