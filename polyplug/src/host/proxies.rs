//! Instances held from outside: by typed proxies, and by tokens of the C ABI.

use std::ptr::NonNull;
use std::sync::Arc;

use polyplug_abi::{
    AbiError, CallArena, DispatchType, Entry, GuestContractHandle, GuestContractId, GuestContractInstance, HostApi,
};

use super::error::{RegistryError, RuntimeError};
use super::interface::native_functions;
use super::provider::{Callee, Provider, destroy};
use super::runtime::Runtime;
use super::runtime_store::versions;
use super::version::BundleVersion;
use crate::call_error::CallError;
use crate::contract::Contract;
use crate::proxy::{CURRENT, Owner, ProxyParts, RawProxy};

/// An instance of its holder's own. Ends with it.
pub(super) struct OwnInstance {
    provider: Arc<Provider>,
    callee: Callee,
    host: *const HostApi,
}

// SAFETY: instances accept calls from any thread; the host's table is kept by the provider's version.
unsafe impl Send for OwnInstance {}
// SAFETY: as for `Send`.
unsafe impl Sync for OwnInstance {}

impl OwnInstance {
    fn new(provider: Arc<Provider>, host: *const HostApi) -> Result<Self, String> {
        let instance = provider.plugin.create(host)?;
        let callee = Callee::new(&provider.plugin.interface, instance);
        Ok(Self { provider, callee, host })
    }
}

impl Drop for OwnInstance {
    fn drop(&mut self) {
        // SAFETY: made by this interface, and the provider's version keeps its code mapped.
        unsafe { destroy(&self.provider.plugin.interface, self.host, self.callee.raw()) };
    }
}

/// An instance that a token names: the holder's own, or the one everybody shares.
pub(super) enum Held {
    Own(OwnInstance),
    Shared(Arc<Provider>),
}

impl Held {
    /// An instance of `provider`, of its own unless the plugin shares one.
    pub(super) fn of(provider: Arc<Provider>, host: *const HostApi) -> Result<Self, RuntimeError> {
        if provider.shared().is_some() {
            return Ok(Self::Shared(provider));
        }
        let failed = |reason| RuntimeError::Factory {
            bundle: provider.bundle_name().to_owned(),
            plugin: provider.plugin.name.clone(),
            reason,
        };
        OwnInstance::new(Arc::clone(&provider), host).map(Self::Own).map_err(failed)
    }

    pub(super) fn provider(&self) -> &Arc<Provider> {
        match self {
            Self::Own(own) => &own.provider,
            Self::Shared(provider) => provider,
        }
    }

    fn callee(&self) -> &Callee {
        match self {
            Self::Own(own) => &own.callee,
            Self::Shared(provider) => provider.shared().expect("held as shared, so there is one"),
        }
    }

    /// A call of function `fn_id`, as the provider numbers them.
    pub(super) fn entry(&self, fn_id: u32) -> Option<impl Fn(*const (), *mut (), *mut CallArena, *mut AbiError) + '_> {
        enum Way {
            Native(Entry),
            Vm(polyplug_abi::VmDispatch),
        }
        let interface = &self.provider().plugin.interface;
        let way = match interface.dispatch_type {
            // SAFETY: checked when the interface was registered.
            DispatchType::Native => Way::Native(*unsafe { native_functions(interface) }.get(fn_id as usize)?),
            // SAFETY: the dispatch type says which member holds.
            _ => Way::Vm(unsafe { interface.dispatch.vm }),
        };
        let instance = self.callee().raw();
        Some(move |args, out, arena, out_err| match way {
            // SAFETY: the caller of `call_guest_method` promises arguments and room of the method's forms.
            Way::Native(entry) => unsafe { entry(instance, args, out, arena, out_err) },
            // SAFETY: as above.
            Way::Vm(vm) => unsafe { (vm.call)(vm.loader_data, instance, fn_id, args, out, arena, out_err) },
        })
    }
}

impl Owner for OwnInstance {
    fn moved(&self) -> Result<RawProxy, CallError> {
        Err(unloaded(&self.provider))
    }

    fn bundle(&self) -> String {
        self.provider.bundle_name().to_owned()
    }
}

impl Owner for Provider {
    fn moved(&self) -> Result<RawProxy, CallError> {
        Err(unloaded(self))
    }

    fn bundle(&self) -> String {
        self.bundle_name().to_owned()
    }
}

fn unloaded(provider: &Provider) -> CallError {
    CallError::Unloaded { bundle: provider.bundle_name().to_owned() }
}

/// A typed proxy for an instance of `provider`.
fn bind<C: Contract + ?Sized>(provider: Arc<Provider>) -> Result<C::Proxy, RuntimeError> {
    let version = Arc::clone(provider.version.as_ref().expect("a runtime's providers have a version"));
    let info = C::info();
    let functions = provider.functions(info)?;
    let (instance, owner): (GuestContractInstance, Arc<dyn Owner>) = match provider.shared() {
        Some(callee) => (callee.instance(), provider),
        None => match Held::of(provider, version.context().host_api())? {
            Held::Own(own) => (own.callee.instance(), Arc::new(own)),
            Held::Shared(_) => unreachable!("a provider that shares no instance gives each holder its own"),
        },
    };
    let parts = parts(&version, functions, instance, info);
    // SAFETY: the owner holds the provider, which holds the version: word, table, code and host table stay. The
    // entries are those the provider has for this contract's methods, and the instance is the provider's.
    Ok(C::Proxy::from(unsafe { RawProxy::new(parts, owner) }))
}

fn parts(
    version: &BundleVersion,
    functions: NonNull<Entry>,
    instance: GuestContractInstance,
    info: &'static crate::contract::ContractInfo,
) -> ProxyParts {
    debug_assert_eq!(CURRENT, 0);
    let host = NonNull::new(version.context().host_api().cast_mut()).expect("a table has an address");
    ProxyParts { word: NonNull::from(version.word()), functions, instance, host, info }
}

/// How look-ups fail.
fn no_provider<C: Contract + ?Sized>(runtime: &Runtime, bundle: Option<String>) -> RuntimeError {
    let other_majors = (0..16).filter(|major| *major != C::MAJOR).flat_map(|major| {
        let id = GuestContractId::new(C::NAME, major);
        versions(&runtime.store().providers(id))
    });
    RuntimeError::NoProvider {
        contract: format!("{}@{}.{}", C::NAME, C::MAJOR, C::MINOR),
        bundle,
        offered: other_majors.collect(),
    }
}

impl Runtime {
    /// A typed proxy for the first provider of contract `C`, in load order.
    ///
    /// Makes an instance with the plugin's factory, unless the plugin shares one. A provider of an older minor
    /// version serves as well: the methods it lacks answer [`CallError::MethodNotAvailable`].
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
    pub fn proxy<C: Contract + ?Sized>(&self) -> Result<C::Proxy, RuntimeError> {
        match self.store().first(C::ID) {
            Some(provider) => bind::<C>(provider),
            None => Err(no_provider::<C>(self, None)),
        }
    }

    /// A typed proxy for the provider of contract `C` in one bundle.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::BundleNotLoaded`], [`RuntimeError::NoProvider`], or [`RuntimeError::Factory`].
    pub fn proxy_from<C: Contract + ?Sized>(&self, bundle: polyplug_abi::BundleId) -> Result<C::Proxy, RuntimeError> {
        let name = self.bundle_name(bundle).ok_or(RuntimeError::BundleNotLoaded { id: bundle })?;
        let providers = self.store().providers(C::ID);
        match providers.into_iter().find(|(_, provider)| provider.plugin.bundle == bundle) {
            Some((_, provider)) => bind::<C>(provider),
            None => Err(no_provider::<C>(self, Some(name))),
        }
    }

    /// Typed proxies for all providers of contract `C`, in load order.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Factory`] of the first plugin that fails.
    pub fn proxies<C: Contract + ?Sized>(&self) -> Result<Vec<C::Proxy>, RuntimeError> {
        self.store().providers(C::ID).into_iter().map(|(_, provider)| bind::<C>(provider)).collect()
    }

    /// An instance for a caller of the C ABI.
    pub(super) fn create_token(&self, handle: GuestContractHandle) -> Result<GuestContractInstance, RuntimeError> {
        let provider = self.store().lease(handle)?;
        let contract_id = provider.plugin.interface.contract_id;
        let version = provider.version.clone().ok_or(RegistryError::StaleHandle { index: handle.index })?;
        let held = Held::of(provider, version.context().host_api())?;
        Ok(GuestContractInstance { data: self.tokens().insert(Arc::new(held)), contract_id })
    }

    /// The instance of a token, as a lease for one call.
    pub(super) fn instance(&self, token: GuestContractInstance) -> Result<Arc<Held>, RegistryError> {
        let stale = || RegistryError::StaleHandle { index: token.data.addr() as u32 };
        let held = self.tokens().get(token.data).ok_or_else(stale)?;
        let provider = held.provider();
        let current = provider.version.as_ref().is_some_and(|version| version.is_current());
        if provider.plugin.interface.contract_id == token.contract_id && current { Ok(held) } else { Err(stale()) }
    }

    /// Ends a token; a stale one is ignored.
    pub(super) fn destroy_token(&self, token: GuestContractInstance) {
        drop(self.tokens().remove(token.data));
    }
}
