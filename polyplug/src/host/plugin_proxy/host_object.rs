//! Objects of host contracts, as plugins call them.

use std::sync::Arc;

use polyplug_abi::{GuestContractId, GuestContractInstance, HostContractInstance};

use super::request::{MethodMap, method_index};
use crate::host::abi::dispatch::{CallFrame, Dispatch};
use crate::host::host_contract::provided::Provided;

/// An object of a host contract. One that was made for this proxy ends with it.
pub(crate) struct HostObject {
    pub(crate) provided: Arc<Provided>,
    pub(crate) instance: HostContractInstance,
    pub(crate) is_own: bool,
    pub(crate) methods: Option<MethodMap>,
}

impl HostObject {
    /// Calls a method. Returns whether there is one of that number.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects. The runtime that provides the contract must exist.
    pub(crate) unsafe fn call(&self, fn_id: u32, frame: CallFrame) -> bool {
        let Some(fn_id) = method_index(self.methods.as_ref(), fn_id) else { return false };
        let interface = self.provided.interface();
        let contract_id = GuestContractId::from_u64(interface.contract_id.id());
        let instance = GuestContractInstance { data: self.instance.data, contract_id };
        // SAFETY: the interface was checked when it was registered, and stays valid while the runtime does.
        let dispatch = unsafe { Dispatch::new(interface.dispatch_type, &interface.dispatch) };
        // SAFETY: the interface made the instance, which ends with this; the caller promises the frame.
        unsafe { dispatch.call(instance, fn_id, frame) }
    }
}

impl Drop for HostObject {
    fn drop(&mut self) {
        if self.is_own {
            self.provided.destroy(self.instance);
        }
    }
}
