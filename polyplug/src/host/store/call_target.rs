//! An instance as the argument of entries.

use std::sync::{Mutex, PoisonError};

use polyplug_abi::{DispatchType, GuestContractInstance, GuestContractInterface};

use super::entry_tables::{AdaptedMethods, Entries};
use crate::proxy::Trampoline;

/// An instance as the argument of entries: a native instance itself, or an instance of a VM behind a [`Trampoline`].
pub(crate) struct CallTarget {
    instance: GuestContractInstance,
    trampoline: Option<Box<Trampoline>>,
    /// The trampolines to methods that are called through adapters: one for each table of entries, rarely any.
    // Boxed, as proxies keep pointers to them.
    #[allow(clippy::vec_box)]
    adapted: Mutex<Vec<Box<Trampoline>>>,
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
        Self { instance, trampoline, adapted: Mutex::default() }
    }

    /// Returns the instance to pass to entries.
    #[inline]
    pub(crate) fn instance(&self, entries: Entries<'_>) -> GuestContractInstance {
        match (entries.adapted, &self.trampoline) {
            (None, None) => self.instance,
            (None, Some(trampoline)) => trampoline.as_instance(self.instance.contract_id),
            (Some(methods), _) => self.adapted(methods),
        }
    }

    /// Returns the instance to pass to entries that lead to adapters.
    #[cold]
    fn adapted(&self, methods: &AdaptedMethods) -> GuestContractInstance {
        let wanted = methods.trampoline(self.instance);
        let mut known = self.adapted.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().position(|trampoline| trampoline.loader_data == wanted.loader_data);
        let number = found.unwrap_or_else(|| {
            known.push(Box::new(wanted));
            known.len() - 1
        });
        known[number].as_instance(self.instance.contract_id)
    }

    /// Returns the instance as the plugin made it.
    pub(crate) fn raw(&self) -> GuestContractInstance {
        self.instance
    }
}
