//! Look-ups of providers: handles, tables, proxies, leases, and tokens for callers of the C ABI.

use std::panic::Location;
use std::sync::Arc;

use polyplug_abi::{BundleId, GuestContractHandle, GuestContractId, GuestContractInstance, GuestContractInterface};

use super::runtime::Runtime;
use crate::contract::Contract;
use crate::host::bundle::manifest::parse_contract;
use crate::host::bundle::reference::{BundleRef, Named};
use crate::host::error::registry::RegistryError;
use crate::host::error::runtime::RuntimeError;
use crate::host::store::bind::{bind, no_provider};
use crate::host::store::instances;
use crate::host::store::instances::InstanceLease;
use crate::host::store::lease::Lease;
use crate::host::store::snapshot::Snapshot;

impl Runtime {
    /// Returns the first provider of a contract, in load order, whose minor version is at least `min_version`.
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
        self.store().find_guest_contract(GuestContractId::from_u64(contract_id), min_version)
    }

    /// Returns a provider's table. The table is valid while the caller holds a [`pin`](crate::pin) taken before the
    /// look-up.
    ///
    /// # Errors
    ///
    /// [`RegistryError::StaleHandle`] or [`RegistryError::InvalidHandle`].
    #[inline]
    pub fn resolve_guest_contract(
        &self,
        handle: GuestContractHandle,
    ) -> Result<*const GuestContractInterface, RegistryError> {
        self.store().resolve_guest_contract(handle)
    }

    /// Returns the first provider of a contract, in load order. The contract is given as `"name@major"`, or as
    /// `"name@major.minor"` with the least minor version that suffices.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::InvalidContract`] or [`RuntimeError::NoProvider`].
    ///
    /// ```
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// # let runtime = polyplug::Runtime::builder().build()?;
    /// let error = runtime.find_guest_contract_named("demo.clock@1").unwrap_err();
    /// assert_eq!(error.to_string(), "no loaded bundle provides demo.clock@1: load a bundle that does");
    /// # Ok(())
    /// # }
    /// ```
    pub fn find_guest_contract_named(&self, contract: &str) -> Result<GuestContractHandle, RuntimeError> {
        let invalid = |_| RuntimeError::InvalidContract { contract: contract.to_owned() };
        let (name, major, minor) = parse_contract(contract).map_err(invalid)?;
        let found = self.store().find_guest_contract(GuestContractId::new(&name, major), minor);
        found.map_err(|_| {
            let offered = self.snapshot().view().versions(&name).collect();
            RuntimeError::NoProvider { contract: contract.to_owned(), bundle: None, offered }
        })
    }

    /// Returns the provider of a contract in `bundle`, which is given by its id or its name.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotFound`].
    pub fn find_guest_contract_in(
        &self,
        contract_id: u64,
        bundle: impl BundleRef,
    ) -> Result<GuestContractHandle, RegistryError> {
        let found = self.store().find_in(bundle.id(), GuestContractId::from_u64(contract_id));
        found.map(|(handle, _)| handle).ok_or(RegistryError::NotFound { contract_id, min_version: 0 })
    }

    /// Returns all providers of a contract whose minor version is at least `min_version`, in load order.
    #[must_use]
    pub fn find_all_guest_contracts(&self, contract_id: u64, min_version: u32) -> Vec<GuestContractHandle> {
        self.store().find_all_guest_contracts(GuestContractId::from_u64(contract_id), min_version)
    }

    /// Makes `bundle`, given by its id or its name, the first provider of contract `C`. From now on [`proxy`](Self::proxy) and every other look-up of
    /// the first provider find this bundle, until it is unloaded. A reload does not change the preference. Proxies that
    /// exist already do not change.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotFound`] if the bundle does not provide the contract.
    ///
    /// ```no_run
    /// # use polyplug::Runtime;
    /// # #[polyplug::contract(name = "demo.clock", version = "1.0")]
    /// # trait Clock { fn now(&self) -> u64; }
    /// # fn prefer(runtime: &Runtime) -> Result<(), Box<dyn std::error::Error>> {
    /// runtime.prefer::<dyn Clock>("atomic-clock")?;
    /// let clock = runtime.proxy::<dyn Clock>()?; // the atomic one
    /// # Ok(())
    /// # }
    /// ```
    pub fn prefer<C: Contract + ?Sized>(&self, bundle: impl BundleRef) -> Result<(), RegistryError> {
        self.prefer_guest_contract(C::ID.id(), bundle)
    }

    /// Does the same as [`prefer`](Self::prefer), for a contract given by its id.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotFound`] if the bundle does not provide the contract.
    pub fn prefer_guest_contract(&self, contract_id: u64, bundle: impl BundleRef) -> Result<(), RegistryError> {
        self.store().prefer(GuestContractId::from_u64(contract_id), bundle.id())
    }

    /// Takes a snapshot of all providers at this moment, for several look-ups that have to agree.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.store().snapshot()
    }

    /// Returns the ids of all loaded bundles, in load order.
    #[must_use]
    pub fn bundle_ids(&self) -> Vec<BundleId> {
        self.bundle_table().ids()
    }

    /// Returns the name of a loaded bundle, which is given by its id or its name.
    #[must_use]
    pub fn bundle_name(&self, bundle: impl BundleRef) -> Option<String> {
        self.bundle_table().name(bundle.id())
    }

    /// Makes a typed proxy for the first provider of contract `C`, in load order.
    ///
    /// Makes an instance with the plugin's factory, unless the plugin shares one. A provider of an older minor version
    /// suffices. Calls of methods that the provider lacks fail with
    /// [`CallError::MethodNotAvailable`](crate::CallError::MethodNotAvailable).
    ///
    /// # Errors
    ///
    /// [`RuntimeError::NoProvider`], [`RuntimeError::Factory`], [`RuntimeError::Incompatible`] or
    /// [`RuntimeError::NoSchema`].
    ///
    /// ```
    /// # use polyplug::{Runtime, error::RuntimeError};
    /// #[polyplug::contract(name = "demo.clock", version = "1.0")]
    /// trait Clock {
    ///     fn now(&self) -> u64;
    /// }
    ///
    /// # fn main() -> Result<(), RuntimeError> {
    /// let runtime = Runtime::builder().build()?;
    /// let error = runtime.proxy::<dyn Clock>().unwrap_err();
    /// assert_eq!(error.to_string(), "no loaded bundle provides demo.clock@1.0: load a bundle that does");
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    #[track_caller]
    pub fn proxy<C: Contract + ?Sized>(&self) -> Result<C::Proxy, RuntimeError> {
        let site = Location::caller();
        let guard = crossbeam_epoch::pin();
        let Some(provider) = self.store().first(C::ID, &guard) else {
            return Err(no_provider::<C>(self.snapshot().view(), None));
        };
        if provider.shared().is_some() {
            return instances::shared_proxy(provider, C::info(), site, &guard).map(C::Proxy::from);
        }
        let provider = Arc::clone(provider);
        drop(guard); // a factory may take long
        bind::<C>(provider, site)
    }

    /// Makes a typed proxy for the provider of contract `C` in one bundle, which is given by its id or its name.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::BundleNotLoaded`], and the errors of [`proxy`](Self::proxy).
    #[track_caller]
    pub fn proxy_from<C: Contract + ?Sized>(&self, bundle: impl BundleRef) -> Result<C::Proxy, RuntimeError> {
        let bundle = Named::of(&bundle);
        let name = self.loaded_name(bundle)?;
        match self.store().find_in(bundle.id, C::ID) {
            Some((_, provider)) => bind::<C>(provider, Location::caller()),
            None => Err(no_provider::<C>(self.snapshot().view(), Some(name))),
        }
    }

    /// Returns the name of a loaded bundle.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::BundleNotLoaded`].
    pub(crate) fn loaded_name(&self, bundle: Named<'_>) -> Result<String, RuntimeError> {
        self.bundle_table().name(bundle.id).ok_or_else(|| self.bundle_table().not_loaded(bundle))
    }

    /// Makes typed proxies for all providers of contract `C`, in load order.
    ///
    /// # Errors
    ///
    /// The error of the first plugin that fails.
    #[track_caller]
    pub fn proxies<C: Contract + ?Sized>(&self) -> Result<Vec<C::Proxy>, RuntimeError> {
        let site = Location::caller();
        self.store().providers(C::ID).into_iter().map(|(_, provider)| bind::<C>(provider, site)).collect()
    }

    /// Takes a lease on the provider that a handle names.
    ///
    /// For code that calls through tables without a proxy. A proxy holds a lease of its own.
    ///
    /// # Errors
    ///
    /// [`RegistryError::StaleHandle`] or [`RegistryError::InvalidHandle`].
    #[track_caller]
    pub fn lease(&self, handle: GuestContractHandle) -> Result<Lease, RegistryError> {
        let provider = self.store().lease(handle)?;
        let owner = provider.leases().shared(&provider, Location::caller(), &crossbeam_epoch::pin());
        Ok(Lease::new(owner))
    }

    /// Makes an instance for a caller of the C ABI. Returns its token.
    #[track_caller]
    pub(crate) fn create_token(&self, handle: GuestContractHandle) -> Result<GuestContractInstance, RuntimeError> {
        let provider = self.store().lease(handle)?;
        let contract_id = provider.plugin.contract_id;
        if provider.version.is_none() {
            return Err(RegistryError::StaleHandle { index: handle.index }.into());
        }
        let held = InstanceLease::new(provider, Location::caller())?;
        Ok(GuestContractInstance { data: self.tokens().insert(held), contract_id })
    }

    /// Returns the instance of a token, as it was made. Returns `None` for a stale token, and for one with another contract.
    pub(crate) fn token(&self, token: GuestContractInstance) -> Option<Arc<InstanceLease>> {
        let held = self.tokens().get(token.data)?;
        (held.versioned().provider().plugin.contract_id == token.contract_id).then_some(held)
    }

    /// Returns the instance of a token, as a lease on the version that serves, for one call.
    pub(crate) fn instance(&self, token: GuestContractInstance) -> Result<Arc<InstanceLease>, RegistryError> {
        let stale = || RegistryError::StaleHandle { index: token.data.addr() as u32 };
        let held = self.token(token).ok_or_else(stale)?;
        if held.versioned().provider().is_current() {
            return Ok(held);
        }
        let latest = held.current_lease().map_err(|_| stale())?;
        Ok(latest.map_or(held, Arc::new))
    }

    /// Drops the lease of a token. Ignores a stale token.
    pub(crate) fn destroy_token(&self, token: GuestContractInstance) {
        drop(self.tokens().remove(token.data));
    }
}
