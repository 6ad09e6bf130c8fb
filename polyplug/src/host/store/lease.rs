//! Leases that are taken without a proxy, for hosts that call raw tables.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use polyplug_abi::{BundleId, GuestContractInterface};

use super::instances::SharedLease;

/// A lease on one provider: it keeps the provider's table valid and the provider's code mapped. From
/// [`Runtime::lease`](crate::Runtime::lease).
///
/// A call through the table after the version was replaced or unloaded runs the old code.
#[derive(Clone)]
pub struct Lease {
    owner: Arc<SharedLease>,
}

impl Lease {
    pub(crate) fn new(owner: Arc<SharedLease>) -> Self {
        Self { owner }
    }

    /// Returns the table, which is valid while the lease or a clone of the lease exists.
    #[must_use]
    pub fn interface(&self) -> *const GuestContractInterface {
        Arc::as_ptr(&self.owner.provider().plugin.interface)
    }

    /// Returns whether the version under this lease is the version that serves.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.owner.provider().is_current()
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let provider = self.owner.provider();
        write!(f, "Lease({provider:?})")
    }
}

/// The leases of callers of the C ABI. A lease that is never released is dropped with the runtime.
#[derive(Default)]
pub(crate) struct Leases(Mutex<HashMap<Taken, Vec<Lease>>>);

/// The address of a table, and the bundle that took a lease on the table; `None` is the host.
type Taken = (usize, Option<BundleId>);

impl Leases {
    /// Keeps a lease until [`release`](Self::release). Returns the lease's table.
    pub(crate) fn keep(&self, lease: Lease, taker: Option<BundleId>) -> *const GuestContractInterface {
        let interface = lease.interface();
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leases.entry((interface.addr(), taker)).or_default().push(lease);
        interface
    }

    /// Drops one lease of `taker` on a table. Returns whether there was one.
    pub(crate) fn release(&self, interface: *const GuestContractInterface, taker: Option<BundleId>) -> bool {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (interface.addr(), taker);
        let Some(of_table) = leases.get_mut(&key) else { return false };
        let ended = of_table.pop();
        if of_table.is_empty() {
            leases.remove(&key);
        }
        drop(leases);
        drop(ended);
        true
    }
}
