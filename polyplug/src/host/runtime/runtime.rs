//! The object a host holds.

use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

use polyplug_abi::{BundleId, GuestContractHandle, GuestContractId, GuestContractInterface, HostApi, RuntimeConfig};

use super::bundles::Bundles;
use super::context::HostContext;
use super::loader::BundleLoader;
use super::reload::ReloadPolicy;
use super::unload::Retired;
use crate::contract::Contract;
use crate::host::abi::slot_map::Tokens;
use crate::host::builder::Events;
use crate::host::builder::RuntimeBuilder;
use crate::host::bundle::config_overrides::Settings;
use crate::host::error::{RegistryError, RuntimeError};
use crate::host::host_contract::grants::Grants;
use crate::host::host_contract::registry::HostContracts;
use crate::host::plugin_proxy::table::PluginProxy;
use crate::host::store::instances::Held;
use crate::host::store::lease::Leases;
use crate::host::store::runtime_store::RuntimeStore;
use crate::host::store::snapshot::Snapshot;
use crate::host::version::reclaim::Reclaimer;

/// Loads bundles and gives out proxies for their plugins.
///
/// A process may have several; they share nothing. Dropping a runtime unloads its bundles; proxies that are still
/// held keep their code mapped and answer [`CallError::Unloaded`](crate::CallError::Unloaded).
pub struct Runtime {
    /// The host's own table.
    pub(crate) context: Arc<HostContext>,
    pub(crate) config: RuntimeConfig,
    pub(crate) events: Arc<Events>,
    pub(crate) loaders: RwLock<Vec<Arc<dyn BundleLoader>>>,
    pub(crate) reload_policy: ReloadPolicy,
    pub(crate) reload_limit: Duration,
    pub(crate) bundles: Mutex<Bundles>,
    /// Told whenever a bundle is settled again.
    pub(crate) settled: Condvar,
    /// Versions that are no longer served and were not gone when they were given up.
    pub(crate) retired: Mutex<Vec<Retired>>,
    pub(crate) store: RuntimeStore,
    pub(crate) tokens: Tokens<Held>,
    pub(crate) leases: Leases,
    pub(crate) plugin_proxies: Tokens<PluginProxy>,
    pub(crate) host_contracts: HostContracts,
    pub(crate) grants: Grants,
    pub(crate) settings: Settings,
    pub(crate) reclaimer: Reclaimer,
    pub(crate) last_error: Mutex<String>,
    #[cfg(feature = "signatures")]
    pub(crate) signatures: crate::host::signature::verifier::Gate,
    #[cfg(feature = "watch")]
    pub(crate) bells: crate::host::runtime::observers::Bells,
}

impl Runtime {
    /// Starts to set up a runtime.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    /// The first provider of a contract, in load order, whose minor version is at least `min_version`.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotFound`].
    #[inline]
    pub fn find_guest_contract(
        &self,
        contract_id: u64,
        min_version: u32,
    ) -> Result<GuestContractHandle, RegistryError> {
        self.store.find_guest_contract(GuestContractId::from_u64(contract_id), min_version)
    }

    /// A provider's table. Valid while the caller holds a [`pin`](crate::pin) taken before the look-up.
    ///
    /// # Errors
    ///
    /// [`RegistryError::StaleHandle`] or [`RegistryError::InvalidHandle`].
    #[inline]
    pub fn resolve_guest_contract(
        &self,
        handle: GuestContractHandle,
    ) -> Result<*const GuestContractInterface, RegistryError> {
        self.store.resolve_guest_contract(handle)
    }

    /// What `bundle` provides for a contract.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotFound`].
    pub fn find_guest_contract_in(
        &self,
        contract_id: u64,
        bundle: BundleId,
    ) -> Result<GuestContractHandle, RegistryError> {
        let found = self.store.find_in(bundle, GuestContractId::from_u64(contract_id));
        found.map(|(handle, _)| handle).ok_or(RegistryError::NotFound { contract_id, min_version: 0 })
    }

    /// All providers of a contract whose minor version is at least `min_version`, the first one first.
    #[must_use]
    pub fn find_all_guest_contracts(&self, contract_id: u64, min_version: u32) -> Vec<GuestContractHandle> {
        self.store.find_all_guest_contracts(GuestContractId::from_u64(contract_id), min_version)
    }

    /// Prefers `bundle` among the providers of contract `C`: [`proxy`](Self::proxy) and every other look-up that takes
    /// the first provider find it from now on, for as long as the bundle is loaded, over reloads. What was found
    /// before stays as it is.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotFound`] when the bundle does not provide the contract.
    ///
    /// ```no_run
    /// # use polyplug::{BundleId, Runtime};
    /// # #[polyplug::contract(name = "demo.clock", version = "1.0")]
    /// # trait Clock { fn now(&self) -> u64; }
    /// # fn prefer(runtime: &Runtime) -> Result<(), Box<dyn std::error::Error>> {
    /// runtime.prefer::<dyn Clock>(BundleId::new("atomic-clock"))?;
    /// let clock = runtime.proxy::<dyn Clock>()?; // the atomic one
    /// # Ok(())
    /// # }
    /// ```
    pub fn prefer<C: Contract + ?Sized>(&self, bundle: BundleId) -> Result<(), RegistryError> {
        self.prefer_guest_contract(C::ID.id(), bundle)
    }

    /// As [`prefer`](Self::prefer), for a contract that is known by its id.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn prefer_guest_contract(&self, contract_id: u64, bundle: BundleId) -> Result<(), RegistryError> {
        self.store.prefer(GuestContractId::from_u64(contract_id), bundle)
    }

    /// Everything that is provided, at this moment: for several look-ups that have to agree.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.store.snapshot()
    }

    /// The host's table, for code that speaks the C ABI. Valid while the runtime is.
    #[must_use]
    pub fn host_abi(&self) -> *const HostApi {
        self.context.host_api()
    }

    /// How the runtime was set up.
    #[must_use]
    pub fn config(&self) -> &RuntimeConfig {
        &self.config
    }

    /// Adds a loader.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::DuplicateLoader`].
    pub fn register_loader(&self, loader: Box<dyn BundleLoader>) -> Result<(), RuntimeError> {
        let mut loaders = self.loaders.write().unwrap_or_else(PoisonError::into_inner);
        let name = loader.loader_name();
        if loaders.iter().any(|known| known.loader_name() == name) {
            return Err(RuntimeError::DuplicateLoader { loader: name.to_owned() });
        }
        loaders.push(loader.into());
        Ok(())
    }

    /// The loader that manifests call `name`; else the names there are.
    pub(crate) fn loader(&self, name: &str) -> Result<Arc<dyn BundleLoader>, Vec<String>> {
        let loaders = self.loaders.read().unwrap_or_else(PoisonError::into_inner);
        match loaders.iter().find(|loader| loader.loader_name() == name) {
            Some(loader) => Ok(Arc::clone(loader)),
            None => Err(loaders.iter().map(|loader| loader.loader_name().to_owned()).collect()),
        }
    }

    /// Changes a bundle on the runtime's own thread: for plugins, whose frames may be on this one. Whoever asked does
    /// not wait; a failure is recorded and logged.
    pub(crate) fn change_later(
        self: &Arc<Self>,
        change: impl FnOnce(&Self) -> Result<(), RuntimeError> + Send + 'static,
    ) {
        let runtime = Arc::downgrade(self);
        self.reclaimer.later(move || {
            let Some(runtime) = runtime.upgrade() else { return };
            if let Err(error) = change(&runtime) {
                tracing::warn!(%error, "a change that a plugin asked for failed");
                runtime.record_error(error.to_string());
            }
        });
    }

    /// Gives up a reference that was taken for a call from a plugin. Should it be the last one, the runtime ends on its
    /// own thread: this one may have frames on it of code that goes with the runtime.
    pub(crate) fn give_back(self: Arc<Self>) {
        if let Some(last) = Arc::into_inner(self) {
            let reclaimer = last.reclaimer.clone();
            reclaimer.later(move || drop(last));
        }
    }

    pub(crate) fn store(&self) -> &RuntimeStore {
        &self.store
    }

    pub(crate) fn tokens(&self) -> &Tokens<Held> {
        &self.tokens
    }

    pub(crate) fn plugin_proxies(&self) -> &Tokens<PluginProxy> {
        &self.plugin_proxies
    }

    pub(crate) fn leases(&self) -> &Leases {
        &self.leases
    }

    pub(crate) fn host_contracts(&self) -> &HostContracts {
        &self.host_contracts
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn record_error(&self, text: String) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    pub(crate) fn take_error(&self) -> String {
        std::mem::take(&mut self.last_error.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn error_len(&self) -> usize {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.unload_all();
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("providers", &self.store).finish_non_exhaustive()
    }
}
