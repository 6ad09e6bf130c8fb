//! Objects of host contracts, as plugins call them.

use std::sync::Arc;

use polyplug_abi::{
    AbiError, CallArena, DispatchType, Entry, GuestContractId, GuestContractInstance, HostContractInstance,
};

use super::request::{Numbers, number};
use crate::host::host_contract::registry::Provided;

/// An object of a host contract. One that was made for this proxy ends with it.
pub(crate) struct HostObject {
    pub(crate) provided: Arc<Provided>,
    pub(crate) instance: HostContractInstance,
    pub(crate) is_own: bool,
    pub(crate) numbers: Option<Numbers>,
}

impl HostObject {
    /// Calls a method; whether there is one of that number.
    pub(crate) fn call(
        &self,
        fn_id: u32,
        args: *const (),
        out: *mut (),
        arena: *mut CallArena,
        out_err: *mut AbiError,
    ) -> bool {
        let Some(fn_id) = number(self.numbers.as_ref(), fn_id) else { return false };
        let interface = self.provided.interface();
        let contract_id = GuestContractId::from_u64(interface.contract_id.id());
        let instance = GuestContractInstance { data: self.instance.data, contract_id };
        // SAFETY: whoever calls promises arguments and room of the method's forms. The interface was checked when it was
        // registered, and stays valid while the runtime does, which the caller holds.
        unsafe {
            match interface.dispatch_type {
                DispatchType::VirtualMachine => {
                    let vm = interface.dispatch.vm;
                    (vm.call)(vm.loader_data, instance, fn_id, args, out, arena, out_err);
                }
                _ => {
                    let native = interface.dispatch.native;
                    if fn_id >= native.function_count {
                        return false;
                    }
                    let entry = native.functions.cast::<Entry>().add(fn_id as usize).read();
                    entry(instance, args, out, arena, out_err);
                }
            }
        }
        true
    }
}

impl Drop for HostObject {
    fn drop(&mut self) {
        if self.is_own {
            self.provided.destroy(self.instance);
        }
    }
}
