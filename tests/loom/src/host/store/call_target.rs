//! In place of `call_target.rs`: an instance as it is.

use polyplug_abi::{GuestContractInstance, GuestContractInterface};

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
