//! What a bundle may do and has done.

use polyplug_abi::{BundleId, DependencyInfo, GuestContractId, HostContractId};

use crate::host::bundle::manifest::HostDependency;
use crate::host::plugin::registrations::Registrations;

/// What a version of a bundle is called, may use, and has registered.
pub(crate) struct BundleScope {
    pub(crate) id: BundleId,
    pub(crate) name: String,
    /// The contracts of others that its manifest declares; absent for what has no manifest, and is part of the program.
    pub(crate) dependencies: Option<Vec<DependencyInfo>>,
    /// The host contracts that its manifest lists. Empty: it may use all.
    pub(crate) host_contracts: Vec<HostDependency>,
    /// Its settings, as JSON.
    pub(crate) config: String,
    pub(crate) registrations: Registrations,
}

impl BundleScope {
    /// Returns the least minor version of another bundle's contract that the bundle may call; none if the bundle may not
    /// call that contract.
    pub(crate) fn required_minor(&self, contract: GuestContractId) -> Option<u32> {
        let Some(declared) = &self.dependencies else { return Some(0) };
        declared.iter().find(|need| need.contract_id == contract).map(|need| need.min_version)
    }

    /// Returns the least minor version of a host contract that the bundle may use; none if its manifest lists others only.
    pub(crate) fn required_host_minor(&self, contract: HostContractId) -> Option<u32> {
        if self.host_contracts.is_empty() {
            return Some(0);
        }
        self.host_contracts.iter().find(|need| need.id() == contract).map(|need| need.minor)
    }

    /// Returns the dependencies that its manifest declares.
    pub(crate) fn declared(&self) -> &[DependencyInfo] {
        self.dependencies.as_deref().unwrap_or_default()
    }
}
