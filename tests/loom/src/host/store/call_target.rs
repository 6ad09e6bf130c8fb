//! In place of `call_target.rs`: the instance itself.

use polyplug_abi::{GuestContractInstance, GuestContractInterface};

pub(crate) struct CallTarget {
    instance: GuestContractInstance,
}

// SAFETY: instances accept calls from any thread; all threads of a model run on one thread of the system.
unsafe impl Send for CallTarget {}
// SAFETY: instances accept calls from any thread; all threads of a model run on one thread of the system.
unsafe impl Sync for CallTarget {}

impl CallTarget {
    pub(crate) fn new(_: &GuestContractInterface, instance: GuestContractInstance) -> Self {
        Self { instance }
    }

    pub(crate) fn raw(&self) -> GuestContractInstance {
        self.instance
    }
}
