//! Loading and unloading bundles.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, PoisonError, Weak};

use polyplug_abi::{BundleId, ReloadPhaseType};

use super::Runtime;
use crate::guest::{PluginEntry, describe_panic, keep_locations};
use crate::host::context::{BundleScope, HostContext};
use crate::host::described;
use crate::host::error::{LoaderError, RuntimeError};
use crate::host::loader::{BundleLoader, BundleSource, ManifestData, Staging};
use crate::host::provider::{Plugin, Provider};
use crate::host::staging::{self, Loading, Registrations};
use crate::host::version::BundleVersion;

/// The bundles of a runtime.
#[derive(Default)]
pub(super) struct Bundles {
    known: HashMap<BundleId, Bundle>,
    loads: u64,
}

struct Bundle {
    name: String,
    /// Earlier loads have smaller numbers.
    order: u64,
    state: State,
}

enum State {
    /// The name is taken; nothing serves yet.
    Loading,
    Loaded(Loaded),
}

#[derive(Clone)]
struct Loaded {
    version: Arc<BundleVersion>,
    /// Absent for plugins that are part of the program.
    loader: Option<Arc<dyn BundleLoader>>,
}

/// What became of a bundle that was unloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnloadReport {
    /// The bundle's name.
    pub bundle: String,
    /// Whether its code is gone: instances ended, library closed, engine dropped. Otherwise proxies, calls or readers
    /// still hold it, and it goes when the last of them does.
    pub reclaimed: bool,
}

/// How often an unload pushes the collector on: two epochs must pass, and each push advances one at most.
const EPOCH_PUSHES: usize = 8;

impl Runtime {
    /// Loads the bundle at `path`: a directory with a `manifest.toml`, or the artifact in one.
    ///
    /// Its plugins appear all at once, when everything has gone well. Otherwise nothing of it stays.
    ///
    /// # Errors
    ///
    /// Each [`RuntimeError`] that can befall a bundle; it names the bundle, the file and what to do.
    pub fn load_bundle(&self, path: &Path) -> Result<BundleId, RuntimeError> {
        let mut manifest = ManifestData::read(path)?;
        let loader = self.loader_of(&manifest)?;
        manifest.find_artifact()?;
        let source = BundleSource::Path(manifest.path.clone());
        self.load(&manifest, &source, loader)
    }

    /// Loads a bundle whose artifact is in memory; `manifest` is the text of its manifest.
    ///
    /// # Errors
    ///
    /// As for [`load_bundle`](Self::load_bundle); loaders refuse what their engine cannot load from memory.
    pub fn load_bundle_from(&self, manifest: &str, source: BundleSource) -> Result<BundleId, RuntimeError> {
        let directory = match &source {
            BundleSource::Path(path) => path.clone(),
            _ => "<memory>".into(),
        };
        let mut manifest = ManifestData::parse(manifest, &directory)?;
        let loader = self.loader_of(&manifest)?;
        if matches!(source, BundleSource::Path(_)) {
            manifest.find_artifact()?;
        }
        self.load(&manifest, &source, loader)
    }

    fn loader_of(&self, manifest: &ManifestData) -> Result<Arc<dyn BundleLoader>, RuntimeError> {
        self.loader(&manifest.loader).map_err(|registered| RuntimeError::UnknownLoader {
            bundle: manifest.name.clone(),
            manifest: manifest.path.join("manifest.toml"),
            loader: manifest.loader.clone(),
            registered,
        })
    }

    fn load(
        &self,
        manifest: &ManifestData,
        source: &BundleSource,
        loader: Arc<dyn BundleLoader>,
    ) -> Result<BundleId, RuntimeError> {
        let scope = BundleScope {
            id: manifest.id,
            name: manifest.name.clone(),
            dependencies: manifest.dependencies.iter().map(|dependency| dependency.info()).collect(),
            registrations: Registrations::default(),
        };
        let start = |runtime: &Self| loader.load(manifest, source, runtime);
        let directory = matches!(source, BundleSource::Path(_)).then_some(manifest.path.as_path());
        self.bring_up(scope, Some(Arc::clone(&loader)), directory, start)
    }

    /// Registers the plugins that are part of this program: one bundle a crate, with the crate's name.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::AlreadyLoaded`] when called twice, [`RuntimeError::Loader`] when a plugin cannot be started.
    /// Bundles that were registered before the error stay.
    pub fn load_linked_plugins(&self) -> Result<Vec<BundleId>, RuntimeError> {
        keep_locations();
        let all = PluginEntry::all();
        all.chunk_by(|a, b| a.package == b.package)
            .map(|entries| {
                let name = entries[0].package;
                let scope = BundleScope {
                    id: BundleId::new(name),
                    name: name.to_owned(),
                    dependencies: Vec::new(),
                    registrations: Registrations::default(),
                };
                self.bring_up(scope, None, None, |runtime| {
                    let staging = runtime.staging(BundleId::new(name))?;
                    // SAFETY: the staging's table is valid, and so is what the entries say of themselves.
                    let error = unsafe { crate::guest::register_all(staging.host_abi(), entries) };
                    error.map_err(|error| {
                        // SAFETY: the text is in this thread's buffer.
                        let error = unsafe { crate::call_error::message_text(&error) };
                        LoaderError::InitFailed { bundle: name.to_owned(), error }
                    })
                })
            })
            .collect()
    }

    /// Takes a bundle from its name to being served, or leaves no trace of it.
    fn bring_up(
        &self,
        scope: BundleScope,
        loader: Option<Arc<dyn BundleLoader>>,
        directory: Option<&Path>,
        start: impl FnOnce(&Self) -> Result<(), LoaderError>,
    ) -> Result<BundleId, RuntimeError> {
        let (id, name) = (scope.id, scope.name.clone());
        self.reserve(id, &name)?;
        let outcome = self.reclaimer.collecting(|| {
            let version = self.new_version(scope);
            let mut plugins = run_loader(self, &version, start)?;
            described::complete(&mut plugins, &name, directory)?;
            let providers = plugins
                .into_iter()
                .map(|plugin| start_provider(plugin, &version))
                .collect::<Result<Vec<_>, RuntimeError>>()?;
            self.store.publish(providers)?;
            Ok(Loaded { version, loader })
        });
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(loaded) => {
                let bundle = bundles.known.get_mut(&id).expect("reserved above, and only we end the reservation");
                bundle.state = State::Loaded(loaded);
                drop(bundles);
                tracing::debug!(bundle = name, "loaded");
                Ok(id)
            }
            Err(error) => {
                bundles.known.remove(&id);
                Err(error)
            }
        }
    }

    fn reserve(&self, id: BundleId, name: &str) -> Result<(), RuntimeError> {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        if bundles.known.contains_key(&id) {
            return Err(RuntimeError::AlreadyLoaded { bundle: name.to_owned() });
        }
        bundles.loads += 1;
        let bundle = Bundle { name: name.to_owned(), order: bundles.loads, state: State::Loading };
        bundles.known.insert(id, bundle);
        Ok(())
    }

    fn new_version(&self, scope: BundleScope) -> Arc<BundleVersion> {
        let version = BundleVersion::new(scope.id, &scope.name, &self.reclaimer);
        let runtime = self.context.weak_runtime();
        version.set_context(HostContext::new(runtime, Some(scope)));
        version
    }

    /// The bundle with this id that this thread is loading. For loaders.
    ///
    /// # Errors
    ///
    /// [`LoaderError::NotLoading`].
    pub fn staging(&self, bundle: BundleId) -> Result<Staging, LoaderError> {
        let ours = |context: &HostContext| {
            context.belongs_to(self) && context.bundle.as_ref().is_some_and(|scope| scope.id == bundle)
        };
        let version = staging::innermost(ours).ok_or(LoaderError::NotLoading { id: bundle })?;
        Ok(Staging::new(version))
    }

    /// Loads a bundle's new version from `path` in place of the one that serves.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::HotReloadDisabled`] unless hot reload is on and the bundle's loader can do it.
    pub fn reload_bundle(&self, path: &Path) -> Result<BundleId, RuntimeError> {
        let disabled = |reason: String| Err(RuntimeError::HotReloadDisabled { reason });
        if !self.config.hot_reload_enabled {
            return disabled("switch it on with `Runtime::builder().hot_reload(true)`".to_owned());
        }
        let manifest = ManifestData::read(path)?;
        let loader = self.loader_of(&manifest)?;
        disabled(format!(
            "the loader `{}` cannot reload: unload bundle `{}` and load it again",
            loader.loader_name(),
            manifest.name
        ))
    }

    /// Unloads a bundle: from now on it is not found, its handles are stale, and its proxies answer
    /// [`CallError::Unloaded`](crate::CallError::Unloaded).
    ///
    /// Calls that are running finish. The code goes when nobody can run it any more, which the report tells.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::BundleNotLoaded`], or what the bundle's loader reports; the bundle is unloaded even then.
    pub fn unload_bundle(&self, id: BundleId) -> Result<UnloadReport, RuntimeError> {
        let (name, loaded) = self.take(id).ok_or(RuntimeError::BundleNotLoaded { id })?;
        self.events.emit(ReloadPhaseType::Unloading, id, &name, "");
        let Loaded { version, loader } = loaded;
        let outcome = self.reclaimer.collecting(|| {
            self.store.invalidate_bundle(id);
            version.retire();
            let outcome = match &loader {
                None => Ok(()),
                Some(loader) => guarded(&name, || loader.unload(id, self)),
            };
            outcome.map(|()| drop_version(version))
        });
        let left = outcome?;
        let reclaimed = left.strong_count() == 0;
        if reclaimed {
            self.events.emit(ReloadPhaseType::Quiesced, id, &name, "");
        }
        tracing::debug!(bundle = name, reclaimed, "unloaded");
        Ok(UnloadReport { bundle: name, reclaimed })
    }

    fn take(&self, id: BundleId) -> Option<(String, Loaded)> {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        match bundles.known.get(&id)?.state {
            State::Loading => None,
            State::Loaded(_) => match bundles.known.remove(&id)? {
                Bundle { name, state: State::Loaded(loaded), .. } => Some((name, loaded)),
                _ => None,
            },
        }
    }

    /// Unloads everything, the last loaded first.
    pub(super) fn unload_all(&self) {
        for id in self.bundle_ids().into_iter().rev() {
            if let Err(error) = self.unload_bundle(id) {
                tracing::warn!(%error, "while the runtime ends");
            }
        }
    }

    /// The ids of all loaded bundles, in load order.
    #[must_use]
    pub fn bundle_ids(&self) -> Vec<BundleId> {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let mut loaded: Vec<_> = bundles
            .known
            .iter()
            .filter(|(_, bundle)| matches!(bundle.state, State::Loaded(_)))
            .map(|(id, bundle)| (bundle.order, *id))
            .collect();
        loaded.sort_unstable();
        loaded.into_iter().map(|(_, id)| id).collect()
    }

    /// The name of a loaded bundle.
    #[must_use]
    pub fn bundle_name(&self, id: BundleId) -> Option<String> {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let bundle = bundles.known.get(&id)?;
        matches!(bundle.state, State::Loaded(_)).then(|| bundle.name.clone())
    }
}

/// Runs the loader and collects what it registered.
fn run_loader(
    runtime: &Runtime,
    version: &Arc<BundleVersion>,
    start: impl FnOnce(&Runtime) -> Result<(), LoaderError>,
) -> Result<Vec<Plugin>, RuntimeError> {
    let registrations = &version.context().bundle.as_ref().expect("made with a scope").registrations;
    registrations.open();
    let loading = Loading::enter(version);
    let outcome = guarded(version.name(), || start(runtime));
    drop(loading);
    let plugins = registrations.close();
    outcome?;
    if plugins.is_empty() {
        return Err(LoaderError::NothingRegistered { bundle: version.name().to_owned() }.into());
    }
    Ok(plugins)
}

fn start_provider(plugin: Plugin, version: &Arc<BundleVersion>) -> Result<Provider, RuntimeError> {
    let name = plugin.name.clone();
    Provider::start(plugin, version).map_err(|reason| RuntimeError::Factory {
        bundle: version.name().to_owned(),
        plugin: name,
        reason,
    })
}

/// Runs a loader's code, whose panic is its failure.
fn guarded(bundle: &str, body: impl FnOnce() -> Result<(), LoaderError>) -> Result<(), RuntimeError> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(outcome) => Ok(outcome?),
        Err(payload) => {
            let error = format!("the loader panicked: {}", describe_panic(payload));
            Err(LoaderError::InitFailed { bundle: bundle.to_owned(), error }.into())
        }
    }
}

/// Gives the version up and pushes the collector until the views that held it are gone, or somebody holds them.
fn drop_version(version: Arc<BundleVersion>) -> Weak<BundleVersion> {
    let left = Arc::downgrade(&version);
    drop(version);
    for _ in 0..EPOCH_PUSHES {
        if left.strong_count() == 0 {
            break;
        }
        crossbeam_epoch::pin().flush();
    }
    left
}
