//! In place of `instance.rs`: instances without tables.

use polyplug_abi::{GuestContractInstance, GuestContractInterface};

use crate::host::abi::table::HostTable;
use crate::host::code;

/// The instance that all proxies share. It ends when this is dropped.
pub(crate) struct SharedInstance(pub(crate) GuestContractInstance);

// SAFETY: instances accept calls from any thread; all threads of a model run on one thread of the system.
unsafe impl Send for SharedInstance {}
// SAFETY: instances accept calls from any thread; all threads of a model run on one thread of the system.
unsafe impl Sync for SharedInstance {}

impl Drop for SharedInstance {
    fn drop(&mut self) {
        code::destroy(self.0);
    }
}

pub(crate) unsafe fn destroy(_: &GuestContractInterface, _: &HostTable, instance: GuestContractInstance) {
    code::destroy(instance);
}
