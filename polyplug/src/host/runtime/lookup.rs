//! Making typed proxies, and tokens for callers of the C ABI.

use std::panic::Location;
use std::sync::Arc;

use polyplug_abi::{BundleId, GuestContractHandle, GuestContractInstance};

use super::runtime::Runtime;
use crate::contract::Contract;
use crate::host::error::{RegistryError, RuntimeError};
use crate::host::store::instances;
use crate::host::store::instances::Held;
use crate::host::store::provider::Provider;
use crate::host::store::runtime_store::View;

/// A typed proxy for an instance of `provider`.
#[inline]
pub(crate) fn bind<C: Contract + ?Sized>(
    provider: Arc<Provider>,
    site: &'static Location<'static>,
) -> Result<C::Proxy, RuntimeError> {
    instances::proxy(provider, C::info(), site).map(C::Proxy::from)
}

/// How look-ups fail.
pub(crate) fn no_provider<C: Contract + ?Sized>(view: &View, bundle: Option<String>) -> RuntimeError {
    RuntimeError::NoProvider {
        contract: format!("{}@{}.{}", C::NAME, C::MAJOR, C::MINOR),
        bundle,
        offered: view.versions(C::NAME).filter(|version| version.major != C::MAJOR).collect(),
    }
}

impl Runtime {
    /// A typed proxy for the first provider of contract `C`, in load order.
    ///
    /// Makes an instance with the plugin's factory, unless the plugin shares one. A provider of an older minor
    /// version serves as well: the methods it lacks answer
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
        drop(guard); // a factory may take its time
        bind::<C>(provider, site)
    }

    /// A typed proxy for the provider of contract `C` in one bundle.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::BundleNotLoaded`], and as for [`proxy`](Self::proxy).
    #[track_caller]
    pub fn proxy_from<C: Contract + ?Sized>(&self, bundle: BundleId) -> Result<C::Proxy, RuntimeError> {
        let name = self.bundle_name(bundle).ok_or(RuntimeError::BundleNotLoaded { id: bundle })?;
        match self.provider_of(bundle, C::ID) {
            Some(provider) => bind::<C>(provider, Location::caller()),
            None => Err(no_provider::<C>(self.snapshot().view(), Some(name))),
        }
    }

    /// Typed proxies for all providers of contract `C`, in load order.
    ///
    /// # Errors
    ///
    /// The error of the first plugin that fails.
    #[track_caller]
    pub fn proxies<C: Contract + ?Sized>(&self) -> Result<Vec<C::Proxy>, RuntimeError> {
        let site = Location::caller();
        self.store().providers(C::ID).into_iter().map(|(_, provider)| bind::<C>(provider, site)).collect()
    }

    /// An instance for a caller of the C ABI.
    #[track_caller]
    pub(crate) fn create_token(&self, handle: GuestContractHandle) -> Result<GuestContractInstance, RuntimeError> {
        let provider = self.store().lease(handle)?;
        let contract_id = provider.plugin.contract_id;
        if provider.version.is_none() {
            return Err(RegistryError::StaleHandle { index: handle.index }.into());
        }
        let held = Held::new(provider, Location::caller())?;
        Ok(GuestContractInstance { data: self.tokens().insert(held), contract_id })
    }

    /// The instance of a token, as a lease for one call on the version that serves.
    pub(crate) fn instance(&self, token: GuestContractInstance) -> Result<Arc<Held>, RegistryError> {
        let stale = || RegistryError::StaleHandle { index: token.data.addr() as u32 };
        let held = self.tokens().get(token.data).ok_or_else(stale)?;
        let provider = held.incarnation().provider();
        if provider.plugin.contract_id != token.contract_id {
            return Err(stale());
        }
        if provider.is_current() {
            return Ok(held);
        }
        let latest = held.latest().map_err(|_| stale())?;
        Ok(latest.map_or(held, Arc::new))
    }

    /// Ends a token; a stale one is ignored.
    pub(crate) fn destroy_token(&self, token: GuestContractInstance) {
        drop(self.tokens().remove(token.data));
    }
}
