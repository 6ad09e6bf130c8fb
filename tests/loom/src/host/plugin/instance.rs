//! In place of `instance.rs`: instances without tables.

use polyplug_abi::{GuestContractInstance, GuestContractInterface};

use crate::host::abi::table::HostTable;
use crate::host::code;

/// The instance that everybody shares. Ends it when dropped.
pub(crate) struct SharedInstance(pub(crate) GuestContractInstance);

// SAFETY: as for polyplug's.
unsafe impl Send for SharedInstance {}
// SAFETY: as for polyplug's.
unsafe impl Sync for SharedInstance {}

impl Drop for SharedInstance {
    fn drop(&mut self) {
        code::destroy(self.0);
    }
}

pub(crate) unsafe fn destroy(_: &GuestContractInterface, _: &HostTable, instance: GuestContractInstance) {
    code::destroy(instance);
}
