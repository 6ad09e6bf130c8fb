//! The methods of the runtime for the watcher: the sources of bundles, the readiness of their files, their reload.

use std::path::{Path, PathBuf};

use polyplug_abi::BundleId;

use super::debounce::Readiness;
use crate::guest::catch;
use crate::host::abi::log::report;
use crate::host::bundle::fingerprint::Fingerprint;
use crate::host::bundle::manifest::{FILE_NAME, ManifestData};
use crate::host::bundle::names::is_pack;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::error::loader::LoaderError;
use crate::host::error::manifest::ManifestError;
use crate::host::error::runtime::RuntimeError;
use crate::host::runtime::bundles::Loaded;
use crate::host::runtime::event::{EventKind, Operation};
use crate::host::runtime::options::{check_artifact, shared_dirs};
use crate::host::runtime::runtime::Runtime;

/// The files that a bundle which serves was loaded from.
#[derive(Clone, PartialEq)]
pub(crate) struct Source {
    pub(crate) id: BundleId,
    pub(crate) name: String,
    /// The absolute path of the bundle's own directory or pack.
    pub(crate) directory: PathBuf,
    /// The fingerprint of the files that were loaded.
    pub(crate) fingerprint: Fingerprint,
    /// The directories that the fingerprint leaves out.
    pub(crate) shared_dirs: SharedDirs,
}

impl Source {
    fn of(loaded: &Loaded) -> Option<Self> {
        let directory = loaded.origin.directory.as_ref()?;
        Some(Self {
            id: loaded.version.id(),
            name: loaded.version.name().to_owned(),
            directory: directory.clone(),
            fingerprint: loaded.origin.fingerprint.clone()?,
            shared_dirs: loaded.origin.shared_dirs.clone(),
        })
    }

    /// Returns whether the directory has another bundle by now, or none.
    pub(crate) fn has_left(&self) -> bool {
        match ManifestData::read(&self.directory) {
            Ok(manifest) => manifest.id != self.id,
            Err(error) => matches!(error, ManifestError::Missing { .. }),
        }
    }
}

/// The outcome of an attempt to reload.
pub(crate) enum Attempt {
    /// Success: the new version serves.
    Succeeded,
    /// Failure: the new version was refused, and the callbacks were notified.
    Failed,
    /// No attempt: another thread is changing the bundle, or has changed it meanwhile.
    Busy,
}

impl Runtime {
    /// Returns the sources of the bundles that serve and were loaded from a directory, in load order.
    pub(crate) fn sources(&self) -> Vec<Source> {
        self.bundle_table().map_loaded(Source::of).into_iter().flatten().collect()
    }

    /// Returns the directories that a bundle with this manifest shares with its private copies, or `None` if such a
    /// bundle cannot be loaded.
    pub(crate) fn shared_dirs(&self, manifest: &ManifestData) -> Option<SharedDirs> {
        let loader = self.loader_of(manifest).ok()?;
        shared_dirs(&*loader, manifest).ok()
    }

    /// Returns whether the files in a bundle's directory can be loaded, as far as a check without a load shows. Sets
    /// `refusal` to the error of files that cannot.
    pub(crate) fn readiness(
        &self,
        source: &Source,
        manifest: Result<ManifestData, ManifestError>,
        refusal: &mut Option<RuntimeError>,
    ) -> Readiness {
        let mut invalid = |error: RuntimeError| {
            let text = error.to_string();
            *refusal = Some(error);
            Readiness::Invalid(text)
        };
        let mut manifest = match manifest {
            Ok(manifest) => manifest,
            Err(ManifestError::Missing { path, .. }) => return Readiness::Missing(path.display().to_string()),
            Err(error) => return invalid(error.into()),
        };
        match manifest.find_artifact() {
            Ok(()) => {}
            Err(LoaderError::ArtifactMissing { .. }) => {
                return Readiness::Missing(manifest.artifact().display().to_string());
            }
            Err(error) => return invalid(error.into()),
        }
        let fit = same_bundle(&manifest, source.id, &source.name)
            .and_then(|()| self.loader_for_reload(&manifest))
            .and_then(|loader| {
                shared_dirs(&*loader, &manifest)?;
                // A panic is ignored here: the loader panics again in the reload, which reports it.
                catch(|| check_artifact(&*loader, &manifest)).unwrap_or(Ok(())).map_err(RuntimeError::from)
            });
        match fit {
            Ok(()) => Readiness::Complete,
            Err(error) => invalid(error),
        }
    }

    /// Does the same as [`readiness`](Self::readiness), for a bundle that is not loaded.
    pub(crate) fn readiness_of_new(&self, manifest: Result<ManifestData, ManifestError>) -> Readiness {
        let mut manifest = match manifest {
            Ok(manifest) => manifest,
            Err(ManifestError::Missing { path, .. }) => return Readiness::Missing(path.display().to_string()),
            Err(error) => return Readiness::Invalid(error.to_string()),
        };
        if let Err(error) = manifest.find_artifact() {
            return Readiness::Invalid(error.to_string());
        }
        let fit = self.loader_of(&manifest).and_then(|loader| {
            shared_dirs(&*loader, &manifest)?;
            // A panic is ignored here: the loader panics again in the load, which reports it.
            catch(|| check_artifact(&*loader, &manifest)).unwrap_or(Ok(())).map_err(RuntimeError::from)
        });
        fit.map_or_else(|error| Readiness::Invalid(error.to_string()), |()| Readiness::Complete)
    }

    /// Returns whether a bundle cannot be loaded for a reason that lies outside of its files: a contract is missing, or
    /// a bundle of its name is loaded from a directory that still has it.
    pub(crate) fn lacks_something(&self, manifest: &ManifestData) -> bool {
        let unmet = self.dependents().check(manifest);
        let is_taken = || {
            let loaded = self.bundle_table().loaded_one(manifest.id);
            loaded.is_some_and(|loaded| Source::of(&loaded).is_none_or(|source| !source.has_left()))
        };
        unmet.host_contract.is_some() || !unmet.contracts.is_empty() || is_taken()
    }

    /// Unloads a bundle whose files are gone. Returns [`Attempt::Busy`] if another thread is changing the bundle, if the
    /// bundle now has another source, or if only bundles need it for which `leaves` says that they are unloaded as well.
    pub(crate) fn unload_unless_busy(&self, source: &Source, leaves: impl Fn(&str) -> bool) -> Attempt {
        let table = self.bundle_table();
        let Some(loaded) = table.loaded_one(source.id) else { return Attempt::Busy };
        let refusal = self.dependents().check_removal(&loaded, &[]).err();
        drop(loaded); // a lease
        if let Some(RuntimeError::DependencyInUse { dependents, .. }) = &refusal
            && dependents.iter().all(|dependent| leaves(dependent))
        {
            return Attempt::Busy;
        }
        let Ok((name, loaded)) = table.try_begin_change(source.id) else { return Attempt::Busy };
        if Source::of(&loaded).as_ref() != Some(source) {
            table.finish_change(source.id, Some(loaded));
            return Attempt::Busy;
        }
        match self.unload_begun(source.id, name, loaded) {
            Ok(_) => report!(INFO, bundle = &source.name, "unloaded, for its folder is gone"),
            Err(error @ RuntimeError::DependencyInUse { .. }) => {
                report!(WARN, bundle = &source.name, "its folder is gone; it serves on: {error}");
                return Attempt::Failed;
            }
            // The bundle is unloaded all the same.
            Err(error) => report!(WARN, bundle = &source.name, "unloaded, for its folder is gone: {error}"),
        }
        Attempt::Succeeded
    }

    /// Returns whether a bundle can be unloaded without taking away what another bundle needs.
    pub(crate) fn can_be_unloaded(&self, id: BundleId) -> bool {
        self.bundle_table().loaded_one(id).is_some_and(|loaded| self.dependents().check_removal(&loaded, &[]).is_ok())
    }

    /// Reloads a bundle from a directory. Returns [`Attempt::Busy`] if the bundle now has another source, or if
    /// another thread is changing the bundle. A watcher must not wait for that thread: the thread may be in
    /// [`Watcher::stop`](crate::watch::Watcher::stop), which waits for the watcher.
    pub(crate) fn reload_unless_busy(&self, source: &Source, directory: &Path) -> Attempt {
        let Source { id, name, .. } = source;
        let mut begun = false;
        let outcome = self.reload(directory, |manifest| {
            same_bundle(manifest, *id, name)?;
            let (name, loaded) = self.bundle_table().try_begin_change(*id)?;
            if Source::of(&loaded).as_ref() != Some(source) {
                self.bundle_table().finish_change(*id, Some(loaded));
                return Err(RuntimeError::Busy { bundle: name });
            }
            begun = true;
            Ok((name, loaded))
        });
        match outcome {
            Ok(_) => Attempt::Succeeded,
            Err(_) if begun => Attempt::Failed,
            Err(RuntimeError::Busy { .. } | RuntimeError::BundleNotLoaded { .. }) => Attempt::Busy,
            Err(error) => self.refuse_reload(source, &error),
        }
    }

    /// Emits the event of what the watcher saw of a bundle, if the bundle is loaded.
    pub(crate) fn emit_watched(&self, source: &Source, kind: EventKind) {
        if let Some(loaded) = self.bundle_table().loaded_one(source.id) {
            self.emit(Operation::Reload, || self.describe(&loaded), kind);
        }
    }

    /// Emits the event of a reload that waits for the path `what`, or of a directory that has vanished.
    pub(crate) fn emit_waiting(&self, source: &Source, what: String) {
        let directory = source.directory.clone();
        let kind = match is_there(&directory) {
            true => EventKind::Waiting { reason: what },
            false => EventKind::FolderVanished { directory },
        };
        self.emit_watched(source, kind);
    }

    /// Notifies the callbacks that a bundle's new version was refused. Does nothing but return [`Attempt::Busy`] while
    /// another thread is changing the bundle, for callbacks run in the order of the bundle's changes.
    pub(crate) fn refuse_reload(&self, source: &Source, reason: &RuntimeError) -> Attempt {
        let Ok((name, loaded)) = self.bundle_table().try_begin_change(source.id) else { return Attempt::Busy };
        report!(WARN, bundle = &name, "not reloaded; the old version serves on: {reason}");
        self.emit_failed(Operation::Reload, || self.describe(&loaded), reason);
        self.bundle_table().finish_change(source.id, Some(loaded));
        Attempt::Failed
    }
}

/// Returns whether there is a directory at a path, or a pack.
pub(crate) fn is_there(path: &Path) -> bool {
    path.is_dir() || is_pack(path)
}

/// Checks that the manifest is that of this bundle.
fn same_bundle(manifest: &ManifestData, id: BundleId, name: &str) -> Result<(), RuntimeError> {
    if manifest.id == id {
        return Ok(());
    }
    let message = format!(
        "\"{}\" is another bundle than \"{name}\", which was loaded from here: unload that and load this, or give it \
         its name back",
        manifest.name
    );
    Err(ManifestError::Invalid { path: manifest.path.join(FILE_NAME), key: "name", message }.into())
}
