//! The questions to a loader about a manifest, before the loader loads the bundle.

use std::path::Path;

use super::guard::guarded;
use super::loader::BundleLoader;
use crate::host::bundle::manifest::{FILE_NAME, ManifestData};
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::bundle::workers::Workers;
#[cfg(feature = "watch")]
use crate::host::error::loader::LoaderError;
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
    #[cfg(feature = "packs")]
    if let Some(pack) = &manifest.pack {
        if let Some(folder) = folders.iter().find(|folder| pack.is_file(folder) || pack.is_folder(folder)) {
            return Err(invalid(manifest, loader.loader_name(), in_pack(loader, folder)));
        }
        return Ok(SharedDirs::default());
    }
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

/// Asks the loader whether it runs the bundle from a pack.
#[cfg(feature = "packs")]
pub(crate) fn runs_from_packs(loader: &dyn BundleLoader, manifest: &ManifestData) -> Result<bool, RuntimeError> {
    guarded(&manifest.name, || Ok(loader.runs_from_packs(manifest)))
}

/// Has the loader check that the artifact looks complete. That of a pack has to be unpacked first, unless the loader reads
/// it from there.
#[cfg(feature = "watch")]
pub(crate) fn check_artifact(loader: &dyn BundleLoader, manifest: &ManifestData) -> Result<(), LoaderError> {
    if manifest.files().folder().is_none() && !loader.runs_from_packs(manifest) {
        return Ok(());
    }
    loader.check(manifest)
}

fn artifact_in(loader: &dyn BundleLoader, file: &str, folder: &Path) -> String {
    format!(
        "\"{file}\" lies in \"{}\", which the loader `{}` uses where it lies, and nothing is loaded from there: put it \
         elsewhere in the bundle's folder",
        folder.display(),
        loader.loader_name()
    )
}

#[cfg(feature = "packs")]
fn in_pack(loader: &dyn BundleLoader, folder: &Path) -> String {
    format!(
        "\"{}\" is used where it lies by the loader `{}`, and nothing lies in a pack: take it out of the bundle's folder and \
         pack that anew, or load the folder",
        folder.display(),
        loader.loader_name()
    )
}

fn invalid(manifest: &ManifestData, key: &'static str, message: String) -> RuntimeError {
    ManifestError::Invalid { path: manifest.path.join(FILE_NAME), key, message }.into()
}
