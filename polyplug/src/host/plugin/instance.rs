//! Instances that a plugin's factory made, and their destruction.

use std::sync::Arc;

use polyplug_abi::{DispatchType, GuestContractInstance, GuestContractInterface, VmLoaderData};

use crate::host::abi::table::HostTable;

pub(crate) fn loader_data(interface: &GuestContractInterface) -> VmLoaderData {
    match interface.dispatch_type {
        // SAFETY: the dispatch type is that of a VM (matched above), so this member was initialised.
        DispatchType::VirtualMachine => unsafe { interface.dispatch.vm.loader_data },
        _ => VmLoaderData::null(),
    }
}

/// An instance that all callers share, destroyed when dropped.
pub(crate) struct SharedInstance {
    interface: Arc<GuestContractInterface>,
    table: HostTable,
    instance: GuestContractInstance,
}

impl SharedInstance {
    /// Takes over `instance`, which `interface` made with `table`.
    ///
    /// # Safety
    ///
    /// When the value is dropped, no thread may use the instance, and the instance's code must be mapped.
    pub(crate) unsafe fn new(
        interface: Arc<GuestContractInterface>,
        table: HostTable,
        instance: GuestContractInstance,
    ) -> Self {
        Self { interface, table, instance }
    }
}

// SAFETY: the ABI contract lets instances be called and destroyed from any thread, and `table` keeps the host's table
// valid.
unsafe impl Send for SharedInstance {}

// SAFETY: no method accesses the instance through a shared reference.
unsafe impl Sync for SharedInstance {}

impl Drop for SharedInstance {
    fn drop(&mut self) {
        // SAFETY: the caller of `new` guarantees that the interface made the instance, that no thread uses the instance
        // any more, and that its code is still mapped.
        unsafe { destroy(&self.interface, &self.table, self.instance) };
    }
}

/// Destroys an instance.
///
/// # Safety
///
/// The instance must have been made by `interface` and not be used again; its code must be mapped.
pub(crate) unsafe fn destroy(interface: &GuestContractInterface, table: &HostTable, instance: GuestContractInstance) {
    if !instance.is_null() {
        // SAFETY: the caller guarantees the instance and its code; no function of a registered interface is null.
        unsafe { (interface.destroy_instance)(loader_data(interface), table.as_ptr(), instance) };
    }
}
