//! Loading bundles.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug_abi::{BundleId, GuestContractInstance, HostApi, Version};

use super::bundles::{Loaded, Origin};
use super::context::{BundleScope, HostContext};
use super::loader::{BundleLoader, BundleSource};
use super::options::check_options;
use super::prepare_files::Word;
use super::runtime::Runtime;
use super::staging;
use super::staging::{Loading, Registrations, Staging};
use crate::guest::{PluginEntry, describe_panic, keep_locations};
use crate::host::bundle::config_overrides as settings;
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::private_copy::PrivateCopy;
use crate::host::error::{LoaderError, RuntimeError};
use crate::host::plugin::contract_check as described;
use crate::host::store::provider::{Plugin, Provider};
use crate::host::version::version::BundleVersion;

/// What [`Runtime::add`] is given to publish.
type BroughtUp = (Draft, Option<Arc<dyn BundleLoader>>, Origin, Vec<Arc<Provider>>);

/// A version that has not been published. Dropped as one it is retired, so that threads its code started end.
pub(crate) struct Draft(Option<Arc<BundleVersion>>);

impl Draft {
    /// It is published now.
    pub(crate) fn finish(mut self) -> Arc<BundleVersion> {
        self.0.take().expect("a draft is finished once")
    }
}

impl Deref for Draft {
    type Target = Arc<BundleVersion>;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref().expect("a draft that is finished is gone")
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(version) = self.0.take() {
            version.retire_unloaded();
        }
    }
}

impl Runtime {
    /// Loads the bundle at `path`: a directory with a `manifest.toml`, or the artifact in one.
    ///
    /// Its plugins appear all at once, when everything has gone well. Otherwise nothing of it stays. With hot reload
    /// on, or with signatures asked for, what is loaded is a private copy of the directory, so that nothing that is done
    /// to the original reaches what runs.
    ///
    /// # Errors
    ///
    /// Each [`RuntimeError`] that can befall a bundle; it names the bundle, the file and what to do.
    pub fn load_bundle(&self, path: &Path) -> Result<BundleId, RuntimeError> {
        let mut manifest = ManifestData::read(path)?;
        let loader = self.loader_of(&manifest)?;
        manifest.find_artifact()?;
        let source = BundleSource::Path(manifest.path.clone());
        self.load(manifest, Word::Bundles, source, loader)
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
        self.load(manifest, Word::Hosts, source, loader)
    }

    /// The loader of a bundle, which finds nothing wrong with its settings in the manifest.
    pub(crate) fn loader_of(&self, manifest: &ManifestData) -> Result<Arc<dyn BundleLoader>, RuntimeError> {
        let loader = self.loader(&manifest.loader).map_err(|registered| RuntimeError::UnknownLoader {
            bundle: manifest.name.clone(),
            manifest: manifest.path.join("manifest.toml"),
            loader: manifest.loader.clone(),
            registered,
        })?;
        check_options(&*loader, manifest)?;
        Ok(loader)
    }

    fn load(
        &self,
        mut manifest: ManifestData,
        word: Word,
        mut source: BundleSource,
        loader: Arc<dyn BundleLoader>,
    ) -> Result<BundleId, RuntimeError> {
        let id = manifest.id;
        self.add(id, &manifest.name.clone(), || {
            let copy = self.take_in(&mut manifest, word, &source, &*loader)?;
            self.check_requirements(&manifest)?;
            let (version, origin) = self.stage(&mut manifest, &mut source, copy);
            let directory = origin.directory.clone();
            let start = || loader.load(&manifest, &source, self);
            self.start(&version, directory.is_some().then_some(&manifest.path), start, Plugin::create)
                .map_err(|error| error.at_original(&manifest.path, directory.as_deref()))
                .map(|providers| (version, Some(Arc::clone(&loader)), origin, providers))
        })
    }

    /// Everything that comes before a bundle's code is started, which is then at `manifest` and `source`.
    fn stage(
        &self,
        manifest: &mut ManifestData,
        source: &mut BundleSource,
        copy: Option<PrivateCopy>,
    ) -> (Draft, Origin) {
        self.settings.apply(manifest.id, &mut manifest.config);
        let version = self.draft(scope_of(manifest), Arc::default());
        let directory = matches!(source, BundleSource::Path(_)).then(|| manifest.path.clone());
        let mut origin = Origin::new(manifest.version.clone(), directory);
        if let Some(copy) = copy {
            origin.fingerprint = Some(copy.fingerprint().clone());
            origin.in_place = copy.in_place().clone();
            manifest.path = copy.path().to_owned();
            *source = BundleSource::Path(manifest.path.clone());
            version.keep_module(Box::new(copy));
        }
        (version, origin)
    }

    /// What a bundle would provide: starts its code, and discards it.
    pub(crate) fn probe(&self, mut manifest: ManifestData) -> Result<Vec<Plugin>, RuntimeError> {
        let (id, name) = (manifest.id, manifest.name.clone());
        let loader = self.loader_of(&manifest)?;
        manifest.find_artifact()?;
        let mut source = BundleSource::Path(manifest.path.clone());
        self.reserve(id, &name)?;
        let plugins = self.reclaimer.collecting(|| {
            let copy = self.take_in(&mut manifest, Word::Bundles, &source, &*loader)?;
            let (version, origin) = self.stage(&mut manifest, &mut source, copy);
            run_loader(&version, || loader.load(&manifest, &source, self))
                .map_err(|error| error.at_original(&manifest.path, origin.directory.as_deref()))
        });
        self.settle(id, None);
        plugins
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
            let mut config = toml::Table::new();
            self.settings.apply(id, &mut config);
            let scope = BundleScope {
                id,
                name: name.to_owned(),
                dependencies: None,
                host_contracts: Vec::new(),
                config: settings::text(&config),
                registrations,
            };
            let version = self.draft(scope, Arc::default());
            let start = || {
                // SAFETY: the version's table is valid, and so is what the entries say of themselves.
                let outcome = unsafe { crate::guest::register_all(version.context().host_api(), entries) };
                outcome.map_err(|error| {
                    // SAFETY: the text is in this thread's buffer.
                    let error = unsafe { crate::call_error::message_text(&error) };
                    LoaderError::init_failed(name, error)
                })
            };
            let providers = self.start(&version, None, start, Plugin::create)?;
            let Version { major, minor, patch } = entries[0].version;
            let origin = Origin::new(semver::Version::new(major.into(), minor.into(), patch.into()), None);
            Ok((version, None, origin, providers))
        })
    }

    /// Takes a bundle from its name to being served, or leaves no trace of it.
    fn add(
        &self,
        id: BundleId,
        name: &str,
        bring_up: impl FnOnce() -> Result<BroughtUp, RuntimeError>,
    ) -> Result<BundleId, RuntimeError> {
        self.reserve(id, name)?;
        let outcome = self.reclaimer.collecting(|| {
            let (version, loader, origin, providers) = bring_up()?;
            self.store.publish(providers)?;
            Ok(Loaded { version: version.finish(), loader, origin })
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

    pub(crate) fn draft(&self, scope: BundleScope, life: Arc<()>) -> Draft {
        let version = BundleVersion::new(scope.id, &scope.name, &self.reclaimer, life);
        let runtime = self.context.weak_runtime();
        version.set_context(HostContext::of_version(runtime, &version, scope));
        Draft(Some(version))
    }

    /// Runs a version's code up to where its providers could serve. `create` makes the instances that are shared.
    pub(crate) fn start(
        &self,
        version: &Arc<BundleVersion>,
        directory: Option<&PathBuf>,
        start: impl FnOnce() -> Result<(), LoaderError>,
        create: impl Fn(&Plugin, *const HostApi) -> Result<GuestContractInstance, String>,
    ) -> Result<Vec<Arc<Provider>>, RuntimeError> {
        let mut plugins = run_loader(version, start)?;
        described::complete(&mut plugins, version.name(), directory.map(PathBuf::as_path))?;
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

pub(crate) fn scope_of(manifest: &ManifestData) -> BundleScope {
    BundleScope {
        id: manifest.id,
        name: manifest.name.clone(),
        dependencies: Some(manifest.dependencies.iter().map(|dependency| dependency.info()).collect()),
        host_contracts: manifest.host_contracts.clone(),
        config: settings::text(&manifest.config),
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
        return Err(LoaderError::init_failed(version.name(), reason).into());
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
pub(crate) fn guarded<T>(bundle: &str, body: impl FnOnce() -> Result<T, LoaderError>) -> Result<T, RuntimeError> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(outcome) => Ok(outcome?),
        Err(payload) => {
            let error = format!("the loader panicked: {}", describe_panic(payload));
            Err(LoaderError::init_failed(bundle, error).into())
        }
    }
}
