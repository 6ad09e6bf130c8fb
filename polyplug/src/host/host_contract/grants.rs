//! The host contracts that a bundle may use: those that its manifest lists and the host has granted.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use polyplug_abi::{BundleId, HostContractId};

use crate::host::error::proxy::ProxyError;
use crate::host::version::scope::BundleScope;

/// The host contracts that are granted to the bundles of one runtime. A bundle without an entry may use every host
/// contract.
#[derive(Default)]
pub(crate) struct Grants(RwLock<HashMap<BundleId, HashSet<HostContractId>>>);

impl Grants {
    /// Returns whether the host lets a bundle use a contract.
    pub(crate) fn allow(&self, bundle: BundleId, contract: HostContractId) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&bundle).is_none_or(|granted| granted.contains(&contract))
    }

    /// Returns the least minor version that the code of `scope` needs of a host contract, if that code may use the
    /// contract. `name` is for the error.
    ///
    /// # Errors
    ///
    /// [`ProxyError::Unlisted`] or [`ProxyError::NotGranted`].
    pub(crate) fn required_minor(
        &self,
        scope: &BundleScope,
        id: HostContractId,
        name: impl FnOnce() -> String,
    ) -> Result<u32, ProxyError> {
        let Some(least) = scope.required_host_minor(id) else {
            return Err(ProxyError::Unlisted { contract: name(), bundle: scope.name.clone() });
        };
        if !self.allow(scope.id, id) {
            return Err(ProxyError::NotGranted { contract: name(), bundle: scope.name.clone() });
        }
        Ok(least)
    }

    /// Replaces the grants of a bundle. `None` grants every host contract.
    pub(crate) fn set(&self, bundle: BundleId, granted: Option<HashSet<HostContractId>>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match granted {
            Some(granted) => all.insert(bundle, granted),
            None => all.remove(&bundle),
        };
    }
}
