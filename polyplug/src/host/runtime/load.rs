//! Loading bundles.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use polyplug_abi::{BundleId, GuestContractInstance, HostApi};

use super::Runtime;
use super::bundles::Loaded;
use crate::guest::{PluginEntry, describe_panic, keep_locations};
use crate::host::context::{BundleScope, HostContext};
use crate::host::described;
use crate::host::error::{LoaderError, RuntimeError};
use crate::host::loader::{BundleLoader, BundleSource, ManifestData, Staging};
use crate::host::private_copy::PrivateCopy;
use crate::host::provider::{Plugin, Provider};
use crate::host::staging::{self, Loading, Registrations};
use crate::host::version::BundleVersion;

impl Runtime {
    /// Loads the bundle at `path`: a directory with a `manifest.toml`, or the artifact in one.
    ///
    /// Its plugins appear all at once, when everything has gone well. Otherwise nothing of it stays. With hot reload
    /// on, what is loaded is a private copy of the directory, so that a build may overwrite the original.
    ///
    /// # Errors
    ///
    /// Each [`RuntimeError`] that can befall a bundle; it names the bundle, the file and what to do.
    pub fn load_bundle(&self, path: &Path) -> Result<BundleId, RuntimeError> {
        let mut manifest = ManifestData::read(path)?;
        let loader = self.loader_of(&manifest)?;
        manifest.find_artifact()?;
        let source = BundleSource::Path(manifest.path.clone());
        self.load(manifest, source, loader)
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
        self.load(manifest, source, loader)
    }

    pub(super) fn loader_of(&self, manifest: &ManifestData) -> Result<Arc<dyn BundleLoader>, RuntimeError> {
        self.loader(&manifest.loader).map_err(|registered| RuntimeError::UnknownLoader {
            bundle: manifest.name.clone(),
            manifest: manifest.path.join("manifest.toml"),
            loader: manifest.loader.clone(),
            registered,
        })
    }

    fn load(
        &self,
        mut manifest: ManifestData,
        mut source: BundleSource,
        loader: Arc<dyn BundleLoader>,
    ) -> Result<BundleId, RuntimeError> {
        let id = manifest.id;
        self.add(id, &manifest.name.clone(), || {
            let version = self.new_version(scope_of(&manifest), Arc::default());
            let directory = matches!(source, BundleSource::Path(_)).then(|| manifest.path.clone());
            if directory.is_some() && self.config.hot_reload_enabled {
                let copy = PrivateCopy::make(&manifest)?;
                manifest.path = copy.path().to_owned();
                source = BundleSource::Path(manifest.path.clone());
                version.keep_module(Box::new(copy));
            }
            let start = || loader.load(&manifest, &source, self);
            self.start(&version, directory.as_deref(), start, Plugin::create)
                .map_err(|error| error.at_original(&manifest.path, directory.as_deref()))
                .map(|providers| (Loaded { version, loader: Some(Arc::clone(&loader)) }, providers))
        })
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
        all.chunk_by(|a, b| a.package == b.package).map(|entries| self.load_linked(entries)).collect()
    }

    fn load_linked(&self, entries: &[&PluginEntry]) -> Result<BundleId, RuntimeError> {
        let name = entries[0].package;
        let id = BundleId::new(name);
        self.add(id, name, || {
            let registrations = Registrations::default();
            let scope = BundleScope { id, name: name.to_owned(), dependencies: Vec::new(), registrations };
            let version = self.new_version(scope, Arc::default());
            let start = || {
                // SAFETY: the version's table is valid, and so is what the entries say of themselves.
                let outcome = unsafe { crate::guest::register_all(version.context().host_api(), entries) };
                outcome.map_err(|error| {
                    // SAFETY: the text is in this thread's buffer.
                    let error = unsafe { crate::call_error::message_text(&error) };
                    LoaderError::InitFailed { bundle: name.to_owned(), error }
                })
            };
            let providers = self.start(&version, None, start, Plugin::create)?;
            Ok((Loaded { version, loader: None }, providers))
        })
    }

    /// Takes a bundle from its name to being served, or leaves no trace of it.
    fn add(
        &self,
        id: BundleId,
        name: &str,
        bring_up: impl FnOnce() -> Result<(Loaded, Vec<Arc<Provider>>), RuntimeError>,
    ) -> Result<BundleId, RuntimeError> {
        self.reserve(id, name)?;
        let outcome = self.reclaimer.collecting(|| {
            let (loaded, providers) = bring_up()?;
            self.store.publish(providers)?;
            Ok(loaded)
        });
        match outcome {
            Ok(loaded) => {
                self.settle(id, Some(loaded));
                tracing::debug!(bundle = name, "loaded");
                Ok(id)
            }
            Err(error) => {
                self.settle(id, None);
                Err(error)
            }
        }
    }

    pub(super) fn new_version(&self, scope: BundleScope, life: Arc<()>) -> Arc<BundleVersion> {
        let version = BundleVersion::new(scope.id, &scope.name, &self.reclaimer, life);
        let runtime = self.context.weak_runtime();
        version.set_context(HostContext::new(runtime, Some(scope)));
        version
    }

    /// Runs a version's code up to where its providers could serve. `create` makes the instances that are shared.
    pub(super) fn start(
        &self,
        version: &Arc<BundleVersion>,
        directory: Option<&Path>,
        start: impl FnOnce() -> Result<(), LoaderError>,
        create: impl Fn(&Plugin, *const HostApi) -> Result<GuestContractInstance, String>,
    ) -> Result<Vec<Arc<Provider>>, RuntimeError> {
        let mut plugins = run_loader(version, start)?;
        described::complete(&mut plugins, version.name(), directory)?;
        let providers: Vec<_> = plugins
            .into_iter()
            .map(|plugin| start_provider(plugin, version, &create).map(Arc::new))
            .collect::<Result<_, _>>()?;
        version.set_providers(&providers);
        Ok(providers)
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
}

pub(super) fn scope_of(manifest: &ManifestData) -> BundleScope {
    BundleScope {
        id: manifest.id,
        name: manifest.name.clone(),
        dependencies: manifest.dependencies.iter().map(|dependency| dependency.info()).collect(),
        registrations: Registrations::default(),
    }
}

/// Runs the loader and collects what it registered.
fn run_loader(
    version: &Arc<BundleVersion>,
    start: impl FnOnce() -> Result<(), LoaderError>,
) -> Result<Vec<Plugin>, RuntimeError> {
    let registrations = &version.context().bundle.as_ref().expect("made with a scope").registrations;
    registrations.open();
    let loading = Loading::enter(version);
    let outcome = guarded(version.name(), start);
    drop(loading);
    let plugins = registrations.close();
    outcome?;
    if let Some(reason) = registrations.refusal() {
        return Err(LoaderError::InitFailed { bundle: version.name().to_owned(), error: reason.to_owned() }.into());
    }
    if plugins.is_empty() {
        return Err(LoaderError::NothingRegistered { bundle: version.name().to_owned() }.into());
    }
    Ok(plugins)
}

fn start_provider(
    plugin: Plugin,
    version: &Arc<BundleVersion>,
    create: impl FnOnce(&Plugin, *const HostApi) -> Result<GuestContractInstance, String>,
) -> Result<Provider, RuntimeError> {
    let name = plugin.name.clone();
    Provider::start(plugin, version, create).map_err(|reason| RuntimeError::Factory {
        bundle: version.name().to_owned(),
        plugin: name,
        reason,
    })
}

/// Runs a loader's code, whose panic is its failure.
pub(super) fn guarded(bundle: &str, body: impl FnOnce() -> Result<(), LoaderError>) -> Result<(), RuntimeError> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(outcome) => Ok(outcome?),
        Err(payload) => {
            let error = format!("the loader panicked: {}", describe_panic(payload));
            Err(LoaderError::InitFailed { bundle: bundle.to_owned(), error }.into())
        }
    }
}
