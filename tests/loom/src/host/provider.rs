//! In place of `provider.rs`: plugins whose code is [`Code`], without tables, schemas and snapshots of state.

use std::ptr::NonNull;
use std::sync::Arc as Untracked;

use polyplug::error::RuntimeError;
use polyplug_abi::{
    BundleId, DispatchMechanisms, DispatchType, GuestContractId, GuestContractInstance, GuestContractInterface,
    HostApi, NativeDispatch, PluginDescriptor, StringView, Version, VmLoaderData,
};

use super::instances::Holders;
use super::plugin::{self, CONTRACT, Code};
use super::runtime::Runtime;
use super::version::BundleVersion;
use crate::contract::ContractInfo;
use crate::proxy::ProxyParts;
use crate::sync::Arc;

#[derive(Clone)]
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) contract: String,
    pub(super) contract_id: GuestContractId,
    pub(super) bundle: BundleId,
    pub(super) interface: Arc<GuestContractInterface>,
    pub(super) code: Option<Untracked<Code>>,
}

impl Plugin {
    pub(super) fn new(bundle: BundleId, code: Untracked<Code>) -> Self {
        let (name, version) = (StringView::null(), Version::new(1, 0, 0));
        let descriptor = PluginDescriptor { name, contract_name: name, version };
        Self { code: Some(code), ..Self::plain(&descriptor, String::new(), String::new(), bundle, interface()) }
    }

    pub(super) fn plain(
        _: &PluginDescriptor,
        name: String,
        contract: String,
        bundle: BundleId,
        interface: GuestContractInterface,
    ) -> Self {
        Self { name, contract, contract_id: interface.contract_id, bundle, interface: Arc::new(interface), code: None }
    }

    pub(super) fn code(&self) -> &Untracked<Code> {
        self.code.as_ref().expect("only plain plugins have none")
    }

    pub(super) fn create(&self, _: *const HostApi) -> Result<GuestContractInstance, String> {
        Ok(plugin::make(self.code()))
    }
}

/// A table without functions.
fn interface() -> GuestContractInterface {
    unsafe extern "C" fn create(_: VmLoaderData, _: *const HostApi, _: *const (), _: *mut GuestContractInstance) {}
    unsafe extern "C" fn destroy(_: VmLoaderData, _: *const HostApi, _: GuestContractInstance) {}
    GuestContractInterface {
        contract_id: CONTRACT,
        contract_version: Version::new(1, 0, 0),
        dispatch_type: DispatchType::Native,
        create_instance: create,
        destroy_instance: destroy,
        dispatch: DispatchMechanisms { native: NativeDispatch { function_count: 0, functions: std::ptr::null() } },
    }
}

pub(super) struct Provider {
    pub(super) plugin: Plugin,
    pub(super) version: Option<Arc<BundleVersion>>,
    shared: Option<Callee>,
    holders: Holders,
}

impl Provider {
    pub(super) fn bare(plugin: Plugin) -> Self {
        Self { plugin, version: None, shared: None, holders: Holders::default() }
    }

    /// A provider of `version`, with one instance for everybody if `shares`.
    pub(super) fn start(plugin: Plugin, version: &Arc<BundleVersion>, shares: bool) -> Self {
        let shared = shares.then(|| {
            let instance = plugin::make(plugin.code());
            version.keep_instance(SharedInstance(instance));
            Callee { instance }
        });
        Self { plugin, version: Some(Arc::clone(version)), shared, holders: Holders::default() }
    }

    pub(super) fn holders(&self) -> &Holders {
        &self.holders
    }

    pub(super) fn is_current(&self) -> bool {
        self.version.as_ref().is_some_and(|version| version.is_current())
    }

    pub(super) fn runtime(&self) -> Option<Untracked<Runtime>> {
        self.version.as_ref()?.context().runtime()
    }

    pub(super) fn parts(&self, info: &'static ContractInfo, callee: &Callee) -> Result<ProxyParts, RuntimeError> {
        let version = self.version.as_ref().expect("a runtime's providers have a version");
        Ok(ProxyParts {
            word: NonNull::from(version.word()),
            functions: NonNull::dangling(),
            instance: callee.instance,
            host: NonNull::dangling(),
            info,
        })
    }

    pub(super) fn shared(&self) -> Option<&Callee> {
        self.shared.as_ref()
    }

    pub(super) fn bundle_name(&self) -> &str {
        self.version.as_ref().map_or("", |version| version.name())
    }
}

/// The instance that everybody shares. Ends it when dropped.
pub(super) struct SharedInstance(GuestContractInstance);

// SAFETY: as for polyplug's.
unsafe impl Send for SharedInstance {}
// SAFETY: as for polyplug's.
unsafe impl Sync for SharedInstance {}

impl Drop for SharedInstance {
    fn drop(&mut self) {
        plugin::destroy(self.0);
    }
}

pub(super) unsafe fn destroy(_: &GuestContractInterface, _: *const HostApi, instance: GuestContractInstance) {
    plugin::destroy(instance);
}

pub(super) struct Callee {
    instance: GuestContractInstance,
}

// SAFETY: as for polyplug's.
unsafe impl Send for Callee {}
// SAFETY: as for polyplug's.
unsafe impl Sync for Callee {}

impl Callee {
    pub(super) fn new(_: &GuestContractInterface, instance: GuestContractInstance) -> Self {
        Self { instance }
    }

    pub(super) fn raw(&self) -> GuestContractInstance {
        self.instance
    }
}
