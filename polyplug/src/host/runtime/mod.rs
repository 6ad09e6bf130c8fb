//! The object a host holds.

mod builder;
mod bundles;
mod copies;
mod info;
mod limit;
mod load;
mod load_dir;
mod options;
mod reload;
mod requirements;
mod ties;
mod unload;
#[cfg(feature = "watch")]
mod watching;

use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

use polyplug_abi::{BundleId, GuestContractHandle, GuestContractId, GuestContractInterface, HostApi, RuntimeConfig};

pub use super::lease::Lease;
pub use super::snapshot::Snapshot;
pub use builder::RuntimeBuilder;
pub use info::{BundleInfo, PluginInfo};
pub use reload::{ReloadPolicy, ReloadReport};
pub use unload::{Holder, Lingering, UnloadReport};
#[cfg(feature = "watch")]
pub(super) use watching::{Attempt, Source};

use super::context::HostContext;
use super::error::{RegistryError, RuntimeError};
use super::grants::Grants;
use super::host_contracts::HostContracts;
use super::instances::Held;
use super::lease::Leases;
use super::loader::BundleLoader;
use super::plugin_proxies::PluginProxy;
use super::reclaim::Reclaimer;
use super::runtime_store::RuntimeStore;
use super::settings::Settings;
use super::tokens::Tokens;
use crate::contract::Contract;
use builder::Events;
use bundles::Bundles;
use unload::Retired;

/// Loads bundles and gives out proxies for their plugins.
///
/// A process may have several; they share nothing. Dropping a runtime unloads its bundles; proxies that are still
/// held keep their code mapped and answer [`CallError::Unloaded`](crate::CallError::Unloaded).
pub struct Runtime {
    /// The host's own table.
    context: Arc<HostContext>,
    config: RuntimeConfig,
    events: Arc<Events>,
    loaders: RwLock<Vec<Arc<dyn BundleLoader>>>,
    reload_policy: ReloadPolicy,
    reload_limit: Duration,
    bundles: Mutex<Bundles>,
    /// Told whenever a bundle is settled again.
    settled: Condvar,
    /// Versions that are no longer served and were not gone when they were given up.
    retired: Mutex<Vec<Retired>>,
    store: RuntimeStore,
    tokens: Tokens<Held>,
    leases: Leases,
    plugin_proxies: Tokens<PluginProxy>,
    host_contracts: HostContracts,
    grants: Grants,
    settings: Settings,
    reclaimer: Reclaimer,
    last_error: Mutex<String>,
    #[cfg(feature = "signatures")]
    signatures: super::signature::Gate,
    #[cfg(feature = "watch")]
    bells: super::watch::Bells,
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
    fn loader(&self, name: &str) -> Result<Arc<dyn BundleLoader>, Vec<String>> {
        let loaders = self.loaders.read().unwrap_or_else(PoisonError::into_inner);
        match loaders.iter().find(|loader| loader.loader_name() == name) {
            Some(loader) => Ok(Arc::clone(loader)),
            None => Err(loaders.iter().map(|loader| loader.loader_name().to_owned()).collect()),
        }
    }

    /// Changes a bundle on the runtime's own thread: for plugins, whose frames may be on this one. Whoever asked does
    /// not wait; a failure is recorded and logged.
    pub(super) fn change_later(
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
    pub(super) fn give_back(self: Arc<Self>) {
        if let Some(last) = Arc::into_inner(self) {
            let reclaimer = last.reclaimer.clone();
            reclaimer.later(move || drop(last));
        }
    }

    pub(super) fn store(&self) -> &RuntimeStore {
        &self.store
    }

    pub(super) fn tokens(&self) -> &Tokens<Held> {
        &self.tokens
    }

    pub(super) fn plugin_proxies(&self) -> &Tokens<PluginProxy> {
        &self.plugin_proxies
    }

    pub(super) fn leases(&self) -> &Leases {
        &self.leases
    }

    pub(super) fn host_contracts(&self) -> &HostContracts {
        &self.host_contracts
    }

    pub(super) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn record_error(&self, text: String) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    pub(super) fn take_error(&self) -> String {
        std::mem::take(&mut self.last_error.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn error_len(&self) -> usize {
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
