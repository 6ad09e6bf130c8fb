//! The permissions and registrations of a version of a bundle.

use std::path::PathBuf;

use polyplug_abi::{BundleId, DependencyInfo, GuestContractId, HostContractId};

use crate::host::bundle::data_directory::DataDirectory;
use crate::host::bundle::manifest::HostDependency;
use crate::host::plugin::registrations::Registrations;

/// The name, permissions, settings and registrations of a version of a bundle.
pub(crate) struct BundleScope {
    pub(crate) id: BundleId,
    pub(crate) name: String,
    /// The contracts of other bundles that the manifest declares; `None` for a part of the program, which has no
    /// manifest.
    pub(crate) dependencies: Option<Vec<DependencyInfo>>,
    /// The host contracts that the manifest lists. If empty, the bundle may use all.
    pub(crate) host_contracts: Vec<HostDependency>,
    /// The settings, as JSON.
    pub(crate) config: String,
    /// The bundle's own directory, absolute, even if the version runs from a private copy; `None` for a bundle that has no
    /// directory.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) data_directory: DataDirectory,
    pub(crate) registrations: Registrations,
}

impl BundleScope {
    /// Returns the least minor version of another bundle's contract that the bundle may call, or `None` if the bundle
    /// may not call that contract.
    pub(crate) fn required_minor(&self, contract: GuestContractId) -> Option<u32> {
        let Some(declared) = &self.dependencies else { return Some(0) };
        declared.iter().find(|need| need.contract_id == contract).map(|need| need.min_version)
    }

    /// Returns the least minor version of a host contract that the bundle may use, or `None` if its manifest lists
    /// other host contracts only.
    pub(crate) fn required_host_minor(&self, contract: HostContractId) -> Option<u32> {
        if self.host_contracts.is_empty() {
            return Some(0);
        }
        self.host_contracts.iter().find(|need| need.id() == contract).map(|need| need.minor)
    }

    /// Returns the dependencies that the manifest declares.
    pub(crate) fn declared(&self) -> &[DependencyInfo] {
        self.dependencies.as_deref().unwrap_or_default()
    }
}
