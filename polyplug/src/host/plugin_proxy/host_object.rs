//! Objects of host contracts, for calls of plugins.

use std::sync::Arc;

use polyplug_abi::{GuestContractId, GuestContractInstance, HostContractInstance};

use crate::host::abi::dispatch::{CallFrame, Dispatch};
use crate::host::abi::object_tokens::ObjectTokens;
use crate::host::adapter::method_map::MethodMap;
use crate::host::host_contract::provided::Provided;

/// An object of a host contract. An object that was made for this proxy is destroyed with the proxy.
pub(crate) struct HostObject {
    pub(crate) provided: Arc<Provided>,
    pub(crate) instance: HostContractInstance,
    pub(crate) is_own: bool,
    pub(crate) methods: Option<Arc<MethodMap>>,
}

impl HostObject {
    /// Calls the method with the plugin's number `fn_id`. Returns whether the contract has that method. `tokens`
    /// are those of the runtime.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects, with an error whose code is 0. The runtime that provides the contract must exist during the
    /// call.
    pub(crate) unsafe fn call(&self, fn_id: u32, frame: CallFrame, tokens: &dyn ObjectTokens) -> bool {
        let interface = self.provided.interface();
        let contract_id = GuestContractId::from_u64(interface.contract_id.id());
        let instance = GuestContractInstance { data: self.instance.data, contract_id };
        // SAFETY: registration checked the interface, which stays valid as long as the runtime; the caller promises
        // that the runtime exists.
        let dispatch = unsafe { Dispatch::new(interface.dispatch_type, &interface.dispatch) };
        // SAFETY: the interface made the instance, which lives as long as `self`; the caller promises the frame, and the
        // map hands on one that the callee's entry expects.
        let call = |fn_id, frame| unsafe { dispatch.call(instance, fn_id, frame) };
        match &self.methods {
            None => call(fn_id, frame),
            // SAFETY: the caller promises the frame.
            Some(methods) => unsafe { methods.call(fn_id, frame, tokens, call) },
        }
    }
}

impl Drop for HostObject {
    fn drop(&mut self) {
        if self.is_own {
            self.provided.destroy(self.instance);
        }
    }
}
