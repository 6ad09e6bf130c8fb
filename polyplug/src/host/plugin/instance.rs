//! Instances as the plugin made them, and their end.

use std::sync::Arc;

use polyplug_abi::{DispatchType, GuestContractInstance, GuestContractInterface, VmLoaderData};

use crate::host::abi::table::HostTable;

pub(crate) fn loader_data(interface: &GuestContractInterface) -> VmLoaderData {
    match interface.dispatch_type {
        // SAFETY: the dispatch type was checked when the interface was registered.
        DispatchType::VirtualMachine => unsafe { interface.dispatch.vm.loader_data },
        _ => VmLoaderData::null(),
    }
}

/// An instance that all callers share. Ends it when dropped.
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
    /// Nobody may use the instance when this is dropped, and its code must be mapped then.
    pub(crate) unsafe fn new(
        interface: Arc<GuestContractInterface>,
        table: HostTable,
        instance: GuestContractInstance,
    ) -> Self {
        Self { interface, table, instance }
    }
}

// SAFETY: instances accept calls from any thread, and the host's table is kept by the remains that hold this.
unsafe impl Send for SharedInstance {}

// SAFETY: as for `Send`.
unsafe impl Sync for SharedInstance {}

impl Drop for SharedInstance {
    fn drop(&mut self) {
        // SAFETY: made by this interface; its version's modules and table go after its instances.
        unsafe { destroy(&self.interface, &self.table, self.instance) };
    }
}

/// Ends an instance.
///
/// # Safety
///
/// The instance must have been made by `interface` and not be used again; its code must be mapped.
pub(crate) unsafe fn destroy(interface: &GuestContractInterface, table: &HostTable, instance: GuestContractInstance) {
    if !instance.is_null() {
        // SAFETY: the caller's promise; the function was found not null when the interface was checked.
        unsafe { (interface.destroy_instance)(loader_data(interface), table.as_ptr(), instance) };
    }
}
