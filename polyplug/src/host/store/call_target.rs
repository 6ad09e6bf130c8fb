//! An instance as the argument of entries.

use polyplug_abi::{DispatchType, GuestContractInstance, GuestContractInterface};

use crate::proxy::Trampoline;

/// An instance as the argument of entries: a native instance itself, or an instance of a VM behind a [`Trampoline`].
pub(crate) struct CallTarget {
    instance: GuestContractInstance,
    trampoline: Option<Box<Trampoline>>,
}

// SAFETY: instances and loader data accept calls from any thread by the ABI's contract.
unsafe impl Send for CallTarget {}
// SAFETY: no method changes anything; instances and loader data accept calls from any thread by the ABI's contract.
unsafe impl Sync for CallTarget {}

impl CallTarget {
    pub(crate) fn new(interface: &GuestContractInterface, instance: GuestContractInstance) -> Self {
        let trampoline = (interface.dispatch_type == DispatchType::VirtualMachine).then(|| {
            // SAFETY: the dispatch type is `VirtualMachine`, so `vm` is the active member (the ABI's contract).
            let vm = unsafe { interface.dispatch.vm };
            Box::new(Trampoline { call: vm.call, loader_data: vm.loader_data, instance })
        });
        Self { instance, trampoline }
    }

    /// Returns the instance to pass to entries.
    pub(crate) fn instance(&self) -> GuestContractInstance {
        match &self.trampoline {
            None => self.instance,
            Some(trampoline) => trampoline.as_instance(self.instance.contract_id),
        }
    }

    /// Returns the instance as the plugin made it.
    pub(crate) fn raw(&self) -> GuestContractInstance {
        self.instance
    }
}
