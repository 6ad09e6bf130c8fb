//! In place of `provider.rs`: plugins whose code is [`Code`], without tables, schemas and snapshots of state.

use std::ptr::NonNull;
use std::sync::Arc as Untracked;

use polyplug::error::RuntimeError;
use polyplug_abi::{
    BundleId, DispatchMechanisms, DispatchType, GuestContractId, GuestContractInstance, GuestContractInterface,
    HostApi, NativeDispatch, PluginDescriptor, StringView, Version, VmLoaderData,
};

use super::instances::Holders;
use crate::contract::ContractInfo;
use crate::host::code::{self, CONTRACT, Code};
use crate::host::runtime::runtime::Runtime;
use crate::host::version::version::BundleVersion;
use crate::proxy::ProxyParts;
use crate::sync::Arc;

#[derive(Clone)]
pub(crate) struct Plugin {
    pub(crate) name: String,
    pub(crate) contract: String,
    pub(crate) contract_id: GuestContractId,
    pub(crate) bundle: BundleId,
    pub(crate) interface: Arc<GuestContractInterface>,
    pub(crate) code: Option<Untracked<Code>>,
}

impl Plugin {
    pub(crate) fn new(bundle: BundleId, code: Untracked<Code>) -> Self {
        let (name, version) = (StringView::null(), Version::new(1, 0, 0));
        let descriptor = PluginDescriptor { name, contract_name: name, version };
        Self { code: Some(code), ..Self::plain(&descriptor, String::new(), String::new(), bundle, interface()) }
    }

    pub(crate) fn plain(
        _: &PluginDescriptor,
        name: String,
        contract: String,
        bundle: BundleId,
        interface: GuestContractInterface,
    ) -> Self {
        Self { name, contract, contract_id: interface.contract_id, bundle, interface: Arc::new(interface), code: None }
    }

    pub(crate) fn code(&self) -> &Untracked<Code> {
        self.code.as_ref().expect("only plain plugins have none")
    }

    pub(crate) fn create(&self, _: *const HostApi) -> Result<GuestContractInstance, String> {
        Ok(code::make(self.code()))
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

pub(crate) struct Provider {
    pub(crate) plugin: Plugin,
    pub(crate) version: Option<Arc<BundleVersion>>,
    shared: Option<Callee>,
    holders: Holders,
}

impl Provider {
    pub(crate) fn bare(plugin: Plugin) -> Self {
        Self { plugin, version: None, shared: None, holders: Holders::default() }
    }

    /// A provider of `version`, with one instance for everybody if `shares`.
    pub(crate) fn start(plugin: Plugin, version: &Arc<BundleVersion>, shares: bool) -> Self {
        let shared = shares.then(|| {
            let instance = code::make(plugin.code());
            version.keep_instance(SharedInstance(instance));
            Callee { instance }
        });
        Self { plugin, version: Some(Arc::clone(version)), shared, holders: Holders::default() }
    }

    pub(crate) fn holders(&self) -> &Holders {
        &self.holders
    }

    pub(crate) fn is_current(&self) -> bool {
        self.version.as_ref().is_some_and(|version| version.is_current())
    }

    pub(crate) fn runtime(&self) -> Option<Untracked<Runtime>> {
        self.version.as_ref()?.context().runtime()
    }

    pub(crate) fn parts(&self, info: &'static ContractInfo, callee: &Callee) -> Result<ProxyParts, RuntimeError> {
        let version = self.version.as_ref().expect("a runtime's providers have a version");
        Ok(ProxyParts {
            word: NonNull::from(version.word()),
            functions: NonNull::dangling(),
            instance: callee.instance,
            host: NonNull::dangling(),
            info,
        })
    }

    pub(crate) fn shared(&self) -> Option<&Callee> {
        self.shared.as_ref()
    }

    pub(crate) fn bundle_name(&self) -> &str {
        self.version.as_ref().map_or("", |version| version.name())
    }
}

/// The instance that everybody shares. Ends it when dropped.
pub(crate) struct SharedInstance(GuestContractInstance);

// SAFETY: as for polyplug's.
unsafe impl Send for SharedInstance {}
// SAFETY: as for polyplug's.
unsafe impl Sync for SharedInstance {}

impl Drop for SharedInstance {
    fn drop(&mut self) {
        code::destroy(self.0);
    }
}

pub(crate) unsafe fn destroy(_: &GuestContractInterface, _: *const HostApi, instance: GuestContractInstance) {
    code::destroy(instance);
}

pub(crate) struct Callee {
    instance: GuestContractInstance,
}

// SAFETY: as for polyplug's.
unsafe impl Send for Callee {}
// SAFETY: as for polyplug's.
unsafe impl Sync for Callee {}

impl Callee {
    pub(crate) fn new(_: &GuestContractInterface, instance: GuestContractInstance) -> Self {
        Self { instance }
    }

    pub(crate) fn raw(&self) -> GuestContractInstance {
        self.instance
    }
}
