//! A version of a bundle, as the bridge's code calls the loader for it.

use std::sync::{Arc, Mutex, PoisonError};

use polyplug::engine::{Guest, KnownContract};

/// A version of a bundle whose code the CLR runs. The bridge has its address, and drops it when no code of the version is
/// left: code may outlive the version's engine.
pub(crate) struct Bundle {
    pub(crate) guest: Arc<Guest>,
    /// The contracts whose addresses the bridge has.
    contracts: Mutex<Vec<Arc<KnownContract>>>,
}

impl Bundle {
    pub(crate) fn new(guest: &Arc<Guest>) -> Self {
        Self { guest: Arc::clone(guest), contracts: Mutex::default() }
    }

    /// Returns the address of a contract, valid as long as this bundle. Equal contracts have the same address.
    pub(crate) fn contract(&self, contract: &KnownContract) -> *const KnownContract {
        let mut known = self.contracts.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|known| known.schema == contract.schema).map(Arc::as_ptr);
        found.unwrap_or_else(|| {
            let new = Arc::new(contract.clone());
            let address = Arc::as_ptr(&new);
            known.push(new);
            address
        })
    }
}
