//! Which host contracts a bundle may use: those that its manifest lists, of those that the host has granted.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use polyplug_abi::{BundleId, HostContractId};

use crate::host::error::proxy::ProxyError;
use crate::host::version::scope::BundleScope;

/// What is granted to the bundles of one runtime. A bundle that is not in here may use everything.
#[derive(Default)]
pub(crate) struct Grants(RwLock<HashMap<BundleId, HashSet<HostContractId>>>);

impl Grants {
    /// Whether the host lets a bundle use a contract.
    pub(crate) fn allow(&self, bundle: BundleId, contract: HostContractId) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&bundle).is_none_or(|granted| granted.contains(&contract))
    }

    /// Returns the least minor version of a host contract that the code of `scope` may use. `name` is for the error.
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

    /// Replaces what is granted to a bundle; none is everything.
    pub(crate) fn set(&self, bundle: BundleId, granted: Option<HashSet<HostContractId>>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match granted {
            Some(granted) => all.insert(bundle, granted),
            None => all.remove(&bundle),
        };
    }
}
