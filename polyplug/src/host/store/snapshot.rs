//! Several look-ups that agree with each other.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use polyplug_abi::{BundleId, GuestContractHandle, GuestContractId, GuestContractInterface};

use super::bind;
use super::view::View;
use crate::contract::Contract;
use crate::host::error::registry::RegistryError;
use crate::host::error::runtime::RuntimeError;

/// Everything that is provided, at one moment. From [`Runtime::snapshot`](crate::Runtime::snapshot) or
/// [`RuntimeStore::snapshot`](crate::host::store::runtime_store::RuntimeStore::snapshot).
///
/// A bundle appears, changes and disappears as a whole; a snapshot shows all of it before or all of it after. Two
/// proxies from one snapshot come from the same version, even if the bundle is reloaded between the two look-ups.
///
/// It holds a lease on every version that it shows: nothing of them is reclaimed while it exists, and what
/// [`resolve`](Self::resolve_guest_contract) returned stays valid. So take one, look things up, and drop it.
///
/// ```
/// # #[polyplug::contract(name = "demo.reader", version = "1.0")]
/// # trait Reader { fn read(&self) -> u32; }
/// # #[polyplug::contract(name = "demo.writer", version = "1.0")]
/// # trait Writer { fn write(&self, value: u32); }
/// # fn main() -> Result<(), polyplug::error::RuntimeError> {
/// # let runtime = polyplug::Runtime::builder().build()?;
/// let snapshot = runtime.snapshot();
/// if let (Ok(reader), Ok(writer)) = (snapshot.proxy::<dyn Reader>(), snapshot.proxy::<dyn Writer>()) {
///     println!("{:?} {:?}", reader.read(), writer.write(1));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Snapshot {
    view: Arc<View>,
}

impl Snapshot {
    pub(crate) fn new(view: Arc<View>) -> Self {
        Self { view }
    }

    /// The first provider of a contract whose minor version is at least `min_version`.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotFound`].
    pub fn find_guest_contract(
        &self,
        contract: GuestContractId,
        min_version: u32,
    ) -> Result<GuestContractHandle, RegistryError> {
        self.view.find(contract, min_version)
    }

    /// All providers of a contract whose minor version is at least `min_version`, the first one first.
    #[must_use]
    pub fn find_all_guest_contracts(&self, contract: GuestContractId, min_version: u32) -> Vec<GuestContractHandle> {
        self.view.find_all(contract, min_version)
    }

    /// What `bundle` provides for a contract.
    #[must_use]
    pub fn find_guest_contract_in(&self, contract: GuestContractId, bundle: BundleId) -> Option<GuestContractHandle> {
        self.view.find_in(bundle, contract).map(|(handle, _)| handle)
    }

    /// A provider's table, valid while the snapshot exists.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidHandle`] or [`RegistryError::StaleHandle`].
    pub fn resolve_guest_contract(
        &self,
        handle: GuestContractHandle,
    ) -> Result<*const GuestContractInterface, RegistryError> {
        self.view.resolve(handle)
    }

    /// As [`Runtime::proxy`](crate::Runtime::proxy).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn proxy<C: Contract + ?Sized>(&self) -> Result<C::Proxy, RuntimeError> {
        let provider = self.view.first(C::ID).ok_or_else(|| bind::no_provider::<C>(&self.view, None))?;
        bind::bind::<C>(Arc::clone(provider), Location::caller())
    }

    /// As [`Runtime::proxy_from`](crate::Runtime::proxy_from).
    ///
    /// # Errors
    ///
    /// [`RuntimeError::NoProvider`], and as there.
    #[track_caller]
    pub fn proxy_from<C: Contract + ?Sized>(&self, bundle: BundleId) -> Result<C::Proxy, RuntimeError> {
        let Some((_, provider)) = self.view.find_in(bundle, C::ID) else {
            return Err(bind::no_provider::<C>(&self.view, Some(bundle.to_string())));
        };
        bind::bind::<C>(Arc::clone(provider), Location::caller())
    }

    /// As [`Runtime::proxies`](crate::Runtime::proxies).
    ///
    /// # Errors
    ///
    /// The error of the first plugin that fails.
    #[track_caller]
    pub fn proxies<C: Contract + ?Sized>(&self) -> Result<Vec<C::Proxy>, RuntimeError> {
        let site = Location::caller();
        self.view.providers(C::ID).map(|(_, provider)| bind::bind::<C>(Arc::clone(provider), site)).collect()
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Snapshot").field(&self.view).finish()
    }
}
