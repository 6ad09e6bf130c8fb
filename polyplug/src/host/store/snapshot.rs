//! A fixed state of the store, for several look-ups that agree.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use polyplug_abi::{GuestContractHandle, GuestContractId, GuestContractInterface};

use super::bind;
use super::view::View;
use crate::contract::Contract;
use crate::host::bundle::reference::{BundleRef, Named};
use crate::host::error::registry::RegistryError;
use crate::host::error::runtime::RuntimeError;

/// All providers of a runtime at one moment. From [`Runtime::snapshot`](crate::Runtime::snapshot) or
/// [`RuntimeStore::snapshot`](crate::host::store::runtime_store::RuntimeStore::snapshot).
///
/// A bundle appears, changes and disappears as a whole, so a snapshot shows the bundle either before or after a change.
/// Two proxies from one snapshot belong to the same version, even if the bundle is reloaded between the two look-ups.
///
/// A snapshot holds a lease on every version that it shows. While the snapshot exists, none of these versions is
/// reclaimed, and the tables that [`resolve_guest_contract`](Self::resolve_guest_contract) returned stay valid. So take
/// a snapshot, look things up, and drop the snapshot.
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

    /// Returns the first provider of a contract whose minor version is at least `min_version`.
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

    /// Returns all providers of a contract whose minor version is at least `min_version`, in load order.
    #[must_use]
    pub fn find_all_guest_contracts(&self, contract: GuestContractId, min_version: u32) -> Vec<GuestContractHandle> {
        self.view.find_all(contract, min_version)
    }

    /// Returns the provider of a contract in `bundle`, which is given by its id or its name.
    #[must_use]
    pub fn find_guest_contract_in(
        &self,
        contract: GuestContractId,
        bundle: impl BundleRef,
    ) -> Option<GuestContractHandle> {
        self.view.find_in(bundle.id(), contract).map(|(handle, _)| handle)
    }

    /// Returns a provider's table, which is valid while the snapshot exists.
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

    /// Makes a typed proxy for the first provider of contract `C`, as [`Runtime::proxy`](crate::Runtime::proxy) does.
    ///
    /// # Errors
    ///
    /// The errors of [`Runtime::proxy`](crate::Runtime::proxy).
    #[track_caller]
    pub fn proxy<C: Contract + ?Sized>(&self) -> Result<C::Proxy, RuntimeError> {
        let provider = self.view.first(C::ID).ok_or_else(|| bind::no_provider::<C>(&self.view, None))?;
        bind::bind::<C>(Arc::clone(provider), Location::caller())
    }

    /// Makes a typed proxy for the provider of contract `C` in one bundle, which is given by its id or its name, as
    /// [`Runtime::proxy_from`](crate::Runtime::proxy_from) does.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::NoProvider`] also if the bundle is not loaded, and the errors of
    /// [`Runtime::proxy`](crate::Runtime::proxy).
    #[track_caller]
    pub fn proxy_from<C: Contract + ?Sized>(&self, bundle: impl BundleRef) -> Result<C::Proxy, RuntimeError> {
        let bundle = Named::of(&bundle);
        let Some((_, provider)) = self.view.find_in(bundle.id, C::ID) else {
            let name = self.view.bundle_name(bundle.id).or(bundle.name).map(str::to_owned);
            return Err(bind::no_provider::<C>(&self.view, Some(name.unwrap_or_else(|| bundle.id.to_string()))));
        };
        bind::bind::<C>(Arc::clone(provider), Location::caller())
    }

    /// Makes typed proxies for all providers of contract `C`, as [`Runtime::proxies`](crate::Runtime::proxies) does.
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
