//! The runtime that a host holds.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use polyplug_abi::{HostApi, RuntimeConfig};

use super::bundles::Bundles;
use super::dependents::Dependents;
use super::events::Events;
use super::loader::BundleLoader;
use super::report::ReloadPolicy;
use super::retired::Retired;
use crate::error_text;
use crate::host::abi::log::report;
use crate::host::abi::slot_map::SlotMap;
use crate::host::abi::table::HostTable;
use crate::host::bundle::config_overrides::ConfigOverrides;
use crate::host::bundle::limits::BundleLimits;
use crate::host::error::runtime::RuntimeError;
use crate::host::host_contract::grants::Grants;
use crate::host::host_contract::registry::HostContracts;
use crate::host::observe::observers::Observers;
use crate::host::plugin_proxy::table::{Callees, PluginProxies};
use crate::host::store::instances::InstanceLease;
use crate::host::store::lease::Leases;
use crate::host::store::runtime_store::RuntimeStore;
use crate::host::version::reclaim::Reclaimer;

/// The runtime, which loads bundles and makes proxies for their plugins.
///
/// A process may have several runtimes, which share nothing. Dropping a runtime unloads its bundles. Proxies that still
/// exist then keep their code mapped, and their calls fail with [`CallError::Unloaded`](crate::CallError::Unloaded).
pub struct Runtime {
    parts: Parts,
    loaders: RwLock<Vec<Arc<dyn BundleLoader>>>,
    bundles: Bundles,
    /// The retired versions that are not known to be reclaimed.
    retired: Mutex<Vec<Retired>>,
    store: RuntimeStore,
    tokens: SlotMap<InstanceLease>,
    leases: Leases,
    plugin_proxies: PluginProxies,
    host_contracts: HostContracts,
    grants: Grants,
    config_overrides: ConfigOverrides,
    reclaimer: Reclaimer,
    last_error: Mutex<String>,
}

/// The parts of a runtime that its builder decides.
pub(crate) struct Parts {
    /// The runtime itself.
    pub(crate) this: Weak<Runtime>,
    /// The host's own table.
    pub(crate) table: HostTable,
    pub(crate) config: RuntimeConfig,
    pub(crate) events: Arc<Events>,
    pub(crate) reload_policy: ReloadPolicy,
    pub(crate) reload_limit: Duration,
    pub(crate) unload_limit: Duration,
    pub(crate) bundle_limits: BundleLimits,
    /// The folder in which the bundles' folders for their data are.
    pub(crate) data_directory: Option<PathBuf>,
    pub(crate) observers: Observers,
    #[cfg(feature = "signatures")]
    pub(crate) signatures: crate::host::signature::verifier::Verifier,
}

impl Runtime {
    pub(crate) fn from_parts(parts: Parts) -> Self {
        Self {
            parts,
            loaders: RwLock::default(),
            bundles: Bundles::default(),
            retired: Mutex::default(),
            store: RuntimeStore::new(),
            tokens: SlotMap::new(),
            leases: Leases::default(),
            plugin_proxies: PluginProxies::default(),
            host_contracts: HostContracts::default(),
            grants: Grants::default(),
            config_overrides: ConfigOverrides::default(),
            reclaimer: Reclaimer::default(),
            last_error: Mutex::default(),
        }
    }

    /// Returns the host's table, for code that uses the C ABI. The table is valid as long as the runtime.
    #[must_use]
    pub fn host_abi(&self) -> *const HostApi {
        self.parts.table.as_ptr()
    }

    /// Returns the configuration that the runtime was built with.
    #[must_use]
    pub fn config(&self) -> &RuntimeConfig {
        &self.parts.config
    }

    /// Adds a loader.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::DuplicateLoader`] if a loader of that name is registered.
    pub fn register_loader(&self, loader: Box<dyn BundleLoader>) -> Result<(), RuntimeError> {
        let mut loaders = self.loaders.write().unwrap_or_else(PoisonError::into_inner);
        let name = loader.loader_name();
        if loaders.iter().any(|known| known.loader_name() == name) {
            return Err(RuntimeError::DuplicateLoader { loader: name.to_owned() });
        }
        loaders.push(loader.into());
        Ok(())
    }

    /// Returns the loader that manifests call `name`.
    ///
    /// # Errors
    ///
    /// The names of all registered loaders.
    pub(crate) fn loader(&self, name: &str) -> Result<Arc<dyn BundleLoader>, Vec<String>> {
        let loaders = self.loaders.read().unwrap_or_else(PoisonError::into_inner);
        match loaders.iter().find(|loader| loader.loader_name() == name) {
            Some(loader) => Ok(Arc::clone(loader)),
            None => Err(loaders.iter().map(|loader| loader.loader_name().to_owned()).collect()),
        }
    }

    /// Returns all registered loaders.
    pub(crate) fn loaders(&self) -> Vec<Arc<dyn BundleLoader>> {
        self.loaders.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a change that a plugin asked for, on the runtime's own thread, as the plugin's frames may be on this
    /// thread. Does not wait. A failure is recorded and logged.
    pub(crate) fn enqueue_change(&self, change: impl FnOnce(&Self) -> Result<(), RuntimeError> + Send + 'static) {
        let runtime = self.weak();
        self.reclaimer.defer(move || {
            let Some(runtime) = runtime.upgrade() else { return };
            if let Err(error) = change(&runtime) {
                report!(WARN, "a change that a plugin asked for failed: {error}");
                runtime.record_error(error.to_string());
            }
        });
    }

    /// Drops a reference that was taken for a call from a plugin. If the reference is the last one, drops the runtime
    /// on the runtime's own thread, as this thread may have frames of code that is unloaded with the runtime.
    pub(crate) fn release_on_reclaimer(self: Arc<Self>) {
        if let Some(last) = Arc::into_inner(self) {
            let reclaimer = last.reclaimer.clone();
            reclaimer.defer(move || drop(last));
        }
    }

    /// Returns a weak reference to the runtime.
    pub(crate) fn weak(&self) -> Weak<Self> {
        self.parts.this.clone()
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    pub(crate) fn bundle_table(&self) -> &Bundles {
        &self.bundles
    }

    pub(crate) fn retired_versions(&self) -> &Mutex<Vec<Retired>> {
        &self.retired
    }

    pub(crate) fn store(&self) -> &RuntimeStore {
        &self.store
    }

    pub(crate) fn tokens(&self) -> &SlotMap<InstanceLease> {
        &self.tokens
    }

    pub(crate) fn leases(&self) -> &Leases {
        &self.leases
    }

    pub(crate) fn plugin_proxies(&self) -> &PluginProxies {
        &self.plugin_proxies
    }

    pub(crate) fn host_contracts(&self) -> &HostContracts {
        &self.host_contracts
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) fn config_overrides(&self) -> &ConfigOverrides {
        &self.config_overrides
    }

    pub(crate) fn reclaimer(&self) -> &Reclaimer {
        &self.reclaimer
    }

    /// Returns the parts in which the callees of plugins' proxies are found.
    pub(crate) fn callees(&self) -> Callees<'_> {
        Callees { store: &self.store, host_contracts: &self.host_contracts, grants: &self.grants }
    }

    /// Returns the parts in which dependencies among bundles are found.
    pub(crate) fn dependents(&self) -> Dependents<'_> {
        let Self { bundles, store, host_contracts, grants, .. } = self;
        Dependents { bundles, store, host_contracts, grants }
    }

    pub(crate) fn record_error(&self, text: String) {
        let text = if text.len() > error_text::LIMIT { error_text::bounded(&text).into_owned() } else { text };
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    pub(crate) fn take_error(&self) -> String {
        std::mem::take(&mut self.last_error.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn error_len(&self) -> usize {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bundles = self.bundles.map_loaded(|loaded| {
            let (name, version) = (loaded.version.name(), &loaded.origin.version);
            format!("{name} {version} ({})", loaded.version.id())
        });
        f.debug_struct("Runtime").field("bundles", &bundles).field("providers", &self.store).finish_non_exhaustive()
    }
}
