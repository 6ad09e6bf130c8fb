//! In place of `plugin.rs`: plugins without schemas and snapshots of state.

use std::sync::Arc as Untracked;

use polyplug_abi::{
    BundleId, DispatchMechanisms, DispatchType, GuestContractId, GuestContractInstance, GuestContractInterface,
    HostApi, NativeDispatch, PluginDescriptor, StringView, Version, VmLoaderData,
};

use crate::host::code::{self, CONTRACT, Code};
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
