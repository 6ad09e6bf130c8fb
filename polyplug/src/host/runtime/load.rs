//! The load of bundles.
//!
//! Loads and reloads have the same steps: [`prepare_files`](Runtime::prepare_files), [`check_requirements`], `start`,
//! publish. A reload migrates the instances before it publishes.
//!
//! [`check_requirements`]: Runtime::check_requirements

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug_abi::{BundleId, GuestContractInstance, HostApi, Version};

use super::bundles::{Loaded, Origin};
use super::context::HostContext;
use super::event::{EventKind, Operation};
use super::guard::guarded;
use super::info::BundleInfo;
use super::loader::BundleLoader;
use super::options::check_options;
use super::prepare_files::{BundleFiles, ManifestSource};
use super::runtime::Runtime;
use super::staging;
use super::staging::{LoadScope, Staging};
use crate::guest::{PluginEntry, UnloadEntry, keep_locations};
use crate::host::bundle::artifact::ArtifactForm;
use crate::host::bundle::config_json;
use crate::host::bundle::data_directory::DataDirectory;
use crate::host::bundle::file::absolute;
use crate::host::bundle::files::Files;
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::bundle::source::BundleSource;
use crate::host::error::loader::LoaderError;
use crate::host::error::manifest::ManifestError;
use crate::host::error::runtime::RuntimeError;
use crate::host::observe::observer::Names;
use crate::host::observe::observers::Observers;
use crate::host::plugin::contract_check;
use crate::host::plugin::instance::loader_data;
use crate::host::plugin::plugin::Plugin;
use crate::host::plugin::registrations::Registrations;
use crate::host::store::provider::Provider;
use crate::host::store::publish;
use crate::host::version::lineage::Lineage;
use crate::host::version::scope::BundleScope;
use crate::host::version::version::BundleVersion;

/// A version that has not been published. Dropping this value retires the version, so that the threads of its code end.
pub(crate) struct UnpublishedVersion(Option<Staging>);

impl UnpublishedVersion {
    /// Marks the version as published.
    pub(crate) fn finish(mut self) -> Arc<BundleVersion> {
        let staging = self.0.take().expect("a version is published once");
        Arc::clone(staging.version())
    }
}

impl Deref for UnpublishedVersion {
    type Target = Staging;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref().expect("a version that is published is no longer unpublished")
    }
}

impl Drop for UnpublishedVersion {
    fn drop(&mut self) {
        if let Some(staging) = self.0.take() {
            staging.version().retire_unloaded();
        }
    }
}

/// A version whose code has been started, with its plugins ready to serve. It is not published yet.
pub(crate) struct StartedVersion {
    pub(crate) version: UnpublishedVersion,
    pub(crate) providers: Vec<Arc<Provider>>,
    lineage: Arc<Lineage<Arc<Provider>>>,
    loader: Option<&'static str>,
    origin: Origin,
}

impl StartedVersion {
    /// Marks the version as published.
    pub(crate) fn finish(self) -> Loaded {
        let Self { version, providers, lineage, loader, origin } = self;
        Loaded { version: version.finish(), providers, lineage, loader, origin }
    }
}

impl Runtime {
    /// Loads the bundle at `path`: a directory with a `manifest.toml`, the artifact in such a directory, or with the feature
    /// `packs` a pack, a file `NAME.polyplug`.
    ///
    /// The bundle's plugins appear all at once, after every step has succeeded. After an error, nothing of the bundle
    /// stays loaded. If hot reload is on or signatures are checked, the runtime loads a private copy of the directory,
    /// so later changes of the original do not affect the running code.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Manifest`], [`RuntimeError::UnknownLoader`], [`RuntimeError::Loader`],
    /// [`RuntimeError::AlreadyLoaded`], [`RuntimeError::DependencyMissing`], [`RuntimeError::HostContractMissing`],
    /// [`RuntimeError::Incompatible`], [`RuntimeError::Factory`], or with signatures `RuntimeError::Signature`. The
    /// error names the bundle, the file and what to do.
    #[inline]
    pub fn load_bundle(&self, path: impl AsRef<Path>) -> Result<BundleId, RuntimeError> {
        self.load_bundle_at(path.as_ref())
    }

    fn load_bundle_at(&self, path: &Path) -> Result<BundleId, RuntimeError> {
        let read = || {
            let mut manifest = ManifestData::read(path)?;
            let loader = self.loader_of(&manifest)?;
            manifest.find_artifact()?;
            Ok((manifest, loader))
        };
        let (manifest, loader) =
            read().inspect_err(|error| self.emit_failed(Operation::Load, || self.describe_path(path), error))?;
        let source = BundleSource::Path(manifest.path.clone());
        self.load(manifest, ManifestSource::Directory, source, loader)
    }

    /// Loads a bundle whose manifest is given as text. Its artifact is in memory, or in a directory or a pack if `source` is
    /// a path.
    ///
    /// # Errors
    ///
    /// The errors of [`load_bundle`](Self::load_bundle), and [`RuntimeError::Loader`] if the loader cannot load such a
    /// source.
    pub fn load_bundle_from(&self, manifest: &str, source: BundleSource) -> Result<BundleId, RuntimeError> {
        let (directory, source) = match source {
            BundleSource::Path(path) => {
                let path =
                    absolute(&path).map_err(|source| ManifestError::Unreadable { path, source: source.into() })?;
                (path.clone(), BundleSource::Path(path))
            }
            other => ("<memory>".into(), other),
        };
        let mut about = BundleInfo::of_path(&directory);
        let mut read = || {
            let mut manifest = ManifestData::parse(manifest, &directory)?;
            about = self.describe_manifest(&manifest);
            let loader = self.loader_of(&manifest)?;
            if matches!(source, BundleSource::Path(_)) {
                manifest.open_pack()?;
                manifest.find_artifact()?;
            }
            Ok((manifest, loader))
        };
        let outcome = read();
        let (manifest, loader) = outcome.inspect_err(|error| self.emit_failed(Operation::Load, || about, error))?;
        self.load(manifest, ManifestSource::Inline, source, loader)
    }

    /// Returns the loader of a bundle, after the loader has checked its settings in the manifest.
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
        manifest: ManifestData,
        manifest_source: ManifestSource,
        source: BundleSource,
        loader: Arc<dyn BundleLoader>,
    ) -> Result<BundleId, RuntimeError> {
        self.add(self.describe_manifest(&manifest), || {
            let files = self.prepare_files(manifest, manifest_source, source, &*loader)?;
            self.check_requirements(&files.manifest)?;
            let run = |manifest: &ManifestData, source: &BundleSource| loader.load(manifest, source, self);
            self.start(files, &*loader, Arc::default(), run, Plugin::create)
        })
    }

    /// Starts a bundle's code and discards it. Returns the plugins that the bundle would provide.
    pub(crate) fn probe(&self, manifest: ManifestData) -> Result<Vec<Plugin>, RuntimeError> {
        self.outside_engines(|| self.probe_outside(manifest))
    }

    /// Does the work of [`probe`](Self::probe) on a thread that is outside of all engines.
    fn probe_outside(&self, mut manifest: ManifestData) -> Result<Vec<Plugin>, RuntimeError> {
        let (id, name) = (manifest.id, manifest.name.clone());
        let loader = self.loader_of(&manifest)?;
        manifest.find_artifact()?;
        let source = BundleSource::Path(manifest.path.clone());
        self.bundle_table().reserve(id, &name)?;
        let plugins = self.reclaimer().collecting(|| {
            let files = self.prepare_files(manifest, ManifestSource::Directory, source, &*loader)?;
            let (version, manifest, source, origin) = self.stage(files);
            run_loader(&version, &manifest.loader, || loader.load(&manifest, &source, self))
                .map_err(|error| error.at_original(&manifest.path, origin.directory.as_deref()))
        });
        self.bundle_table().finish_change(id, None);
        plugins
    }

    /// Registers the plugins that are part of this program. The plugins of one crate are one bundle with the crate's
    /// name.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::AlreadyLoaded`] if called twice, [`RuntimeError::Loader`] if a plugin cannot be started. Bundles
    /// that were registered before the error stay loaded.
    pub fn load_linked_plugins(&self) -> Result<Vec<BundleId>, RuntimeError> {
        keep_locations();
        let all = PluginEntry::all();
        all.chunk_by(|a, b| a.package == b.package).map(|entries| self.load_linked(entries)).collect()
    }

    fn load_linked(&self, entries: &[&PluginEntry]) -> Result<BundleId, RuntimeError> {
        let name = entries[0].package;
        let id = BundleId::new(name);
        let Version { major, minor, patch } = entries[0].version;
        let package_version = semver::Version::new(major.into(), minor.into(), patch.into());
        self.add(BundleInfo::bare(name, package_version.clone()), || {
            let mut config = toml::Table::new();
            self.config_overrides().apply(id, &mut config);
            let version = self.unpublished(BundleScope {
                id,
                name: name.to_owned(),
                dependencies: None,
                host_contracts: Vec::new(),
                config: config_json::text(&config),
                directory: None,
                data_directory: self.data_directory(name),
                registrations: Registrations::default(),
            });
            let unload = UnloadEntry::of(name);
            let run = || {
                // SAFETY: the version keeps its table valid.
                let outcome = unsafe { crate::guest::register_all(version.host_abi(), entries, &unload) };
                outcome.map_err(|error| {
                    // SAFETY: `register_all` wrote the text into this thread's buffer, where it is still unchanged.
                    let error = unsafe { crate::call_error::message_text(&error) };
                    LoaderError::init_failed(name, error)
                })
            };
            let (lineage, observers) = (Arc::default(), &self.parts().observers);
            let providers = start_providers(&version, "native", &lineage, None, observers, run, Plugin::create)?;
            let origin = Origin {
                version: package_version,
                directory: None,
                fingerprint: None,
                shared_dirs: SharedDirs::default(),
            };
            Ok(StartedVersion { version, providers, lineage, loader: None, origin })
        })
    }

    /// Adds a bundle: reserves its name, starts its version with `start`, publishes the version, and emits the event.
    /// `about` describes the bundle in the event of a failure. After an error nothing of the bundle stays.
    fn add(
        &self,
        about: BundleInfo,
        start: impl FnOnce() -> Result<StartedVersion, RuntimeError>,
    ) -> Result<BundleId, RuntimeError> {
        self.outside_engines(|| self.add_outside(about, start))
    }

    /// Does the work of [`add`](Self::add) on a thread that is outside of all engines.
    fn add_outside(
        &self,
        about: BundleInfo,
        start: impl FnOnce() -> Result<StartedVersion, RuntimeError>,
    ) -> Result<BundleId, RuntimeError> {
        let id = about.id;
        let reserved = self.bundle_table().reserve(id, &about.name);
        reserved.inspect_err(|error| self.emit_failed(Operation::Load, || about.clone(), error))?;
        let outcome = self.reclaimer().collecting(|| {
            let started = start()?;
            publish::publish_version(self.store(), &started.lineage, &started.providers)?;
            Ok(started.finish())
        });
        match outcome {
            Ok(loaded) => {
                tracing::debug!(bundle = about.name, "loaded");
                // Before the event, so that a subscriber finds the bundle.
                self.bundle_table().set_current(id, loaded.clone());
                // Emitted before another thread can change the bundle, so that events come in the order of the changes.
                self.emit(Operation::Load, || self.describe(&loaded), EventKind::Loaded);
                self.bundle_table().finish_change(id, Some(loaded));
                Ok(id)
            }
            Err(error) => {
                self.emit_failed(Operation::Load, || about, &error);
                self.bundle_table().finish_change(id, None);
                Err(error)
            }
        }
    }

    /// Makes a version, whose code is still to be started.
    fn unpublished(&self, scope: BundleScope) -> UnpublishedVersion {
        let mut made = None;
        let version = BundleVersion::new(scope, self.reclaimer(), |version, scope| {
            // SAFETY: `self.parts` owns the table, so the table is valid as long as the runtime.
            let functions = unsafe { self.parts().table.api().as_ref() };
            let context = HostContext::of_version(self.weak(), functions, version.clone(), Arc::clone(scope));
            made.insert(context).table()
        });
        let context = made.expect("a version is made with its table");
        UnpublishedVersion(Some(Staging::new(version, context)))
    }

    /// Returns the folder in which a bundle keeps its data.
    fn data_directory(&self, bundle: &str) -> DataDirectory {
        DataDirectory::new(self.parts().data_directory.as_deref(), bundle)
    }

    /// Makes the version of a bundle, and the arguments of its loader.
    fn stage(&self, files: BundleFiles) -> (UnpublishedVersion, ManifestData, BundleSource, Origin) {
        let directory = files.directory().map(Path::to_owned);
        let version = self.unpublished(scope_of(&files.manifest, directory, self.data_directory(&files.manifest.name)));
        let (manifest, source, origin, copy) = files.into_parts();
        if let Some(copy) = copy {
            version.keep(copy);
        }
        (version, manifest, source, origin)
    }

    /// Starts a bundle's code, up to the point where its plugins are ready to serve. `run` calls the loader, and
    /// `create` makes the shared instances.
    pub(crate) fn start(
        &self,
        files: BundleFiles,
        loader: &dyn BundleLoader,
        lineage: Arc<Lineage<Arc<Provider>>>,
        run: impl FnOnce(&ManifestData, &BundleSource) -> Result<(), LoaderError>,
        create: impl Fn(&Plugin, *const HostApi) -> Result<GuestContractInstance, String>,
    ) -> Result<StartedVersion, RuntimeError> {
        let read_from = files.run_files();
        let settled = files.settled();
        let (version, manifest, source, origin) = self.stage(files);
        let run = || run(&manifest, &source);
        let observers = &self.parts().observers;
        let by = loader.loader_name();
        let providers = start_providers(&version, by, &lineage, read_from.as_ref(), observers, run, create)
            .map_err(|error| error.at_original(&manifest.path, origin.directory.as_deref()))?;
        settled.map_or(Ok(()), |settled| settled.check_unchanged())?;
        Ok(StartedVersion { version, providers, lineage, loader: Some(loader.loader_name()), origin })
    }

    /// Returns the bundle with this id that this thread is loading. For loaders.
    ///
    /// # Errors
    ///
    /// [`LoaderError::NotLoading`].
    pub fn staging(&self, bundle: BundleId) -> Result<Staging, LoaderError> {
        let ours = |staging: &Staging| staging.context().belongs_to(self) && staging.version().id() == bundle;
        staging::current_load(ours).ok_or(LoaderError::NotLoading { id: bundle })
    }
}

fn scope_of(manifest: &ManifestData, directory: Option<PathBuf>, data_directory: DataDirectory) -> BundleScope {
    BundleScope {
        id: manifest.id,
        name: manifest.name.clone(),
        dependencies: Some(manifest.dependencies.iter().map(|dependency| dependency.info()).collect()),
        host_contracts: manifest.host_contracts.clone(),
        config: config_json::text(&manifest.config),
        directory,
        data_directory,
        registrations: Registrations::default(),
    }
}

/// Starts a version's code, up to the point where its plugins are ready to serve. The plugins' schemas may be among
/// `files`.
fn start_providers(
    staging: &Staging,
    loader: &str,
    lineage: &Arc<Lineage<Arc<Provider>>>,
    files: Option<&Files>,
    observers: &Observers,
    run: impl FnOnce() -> Result<(), LoaderError>,
    create: impl Fn(&Plugin, *const HostApi) -> Result<GuestContractInstance, String>,
) -> Result<Vec<Arc<Provider>>, RuntimeError> {
    let version = staging.version();
    let mut plugins = run_loader(staging, loader, run)?;
    contract_check::attach_and_check_schemas(&mut plugins, version.name(), files)?;
    if observers.is_on() {
        plugins.iter_mut().for_each(|plugin| observe(plugin, version, observers));
    }
    let start = |plugin: Plugin| {
        let name = plugin.name.clone();
        let started = Provider::start(plugin, version, lineage, &create).map(Arc::new);
        started.map_err(|reason| RuntimeError::Factory { bundle: version.name().to_owned(), plugin: name, reason })
    };
    plugins.into_iter().map(start).collect()
}

/// Puts an observer between callers and a plugin of `version`.
fn observe(plugin: &mut Plugin, version: &Arc<BundleVersion>, observers: &Observers) {
    let contract = format!("{}@{}", plugin.contract, plugin.interface.contract_version.major);
    let names = Names { bundle: version.name().to_owned(), contract, methods: plugin.method_names() };
    // SAFETY: registration checked the interface. The version keeps its functions mapped, and the observer; each user of the
    // plugin keeps the version.
    let (observer, table) = unsafe { observers.observe(&plugin.interface, loader_data(&plugin.interface), names) };
    version.keep(observer);
    plugin.interface = Arc::new(table);
}

/// Runs the loader called `loader`. Returns the plugins that the bundle registered.
fn run_loader(
    staging: &Staging,
    loader: &str,
    run: impl FnOnce() -> Result<(), LoaderError>,
) -> Result<Vec<Plugin>, RuntimeError> {
    let (name, registrations) = (staging.version().name(), &staging.version().scope().registrations);
    registrations.open();
    let loading = LoadScope::enter(staging);
    let outcome = guarded(name, run);
    drop(loading);
    let plugins = registrations.close();
    outcome?;
    if let Some(reason) = registrations.refusal() {
        return Err(LoaderError::init_failed(name, reason).into());
    }
    if plugins.is_empty() {
        let question = ArtifactForm::of(loader).registration;
        return Err(LoaderError::NothingRegistered { bundle: name.to_owned(), question }.into());
    }
    Ok(plugins)
}
