//! In place of `call_target.rs`: an instance as it is.

use polyplug_abi::{GuestContractInstance, GuestContractInterface};

pub(crate) struct CallTarget {
    instance: GuestContractInstance,
}

// SAFETY: as for polyplug's.
unsafe impl Send for CallTarget {}
// SAFETY: as for polyplug's.
unsafe impl Sync for CallTarget {}

impl CallTarget {
    pub(crate) fn new(_: &GuestContractInterface, instance: GuestContractInstance) -> Self {
        Self { instance }
    }

    pub(crate) fn raw(&self) -> GuestContractInstance {
        self.instance
    }
}
