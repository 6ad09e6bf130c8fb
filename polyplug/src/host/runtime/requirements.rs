//! The check of a bundle's requirements, before any of its code is started.

use std::sync::Arc;

use polyplug_abi::Compatibility;

use super::runtime::Runtime;
use crate::host::abi::log::report;
use crate::host::bundle::manifest::{Dependency, FILE_NAME, HostDependency, ManifestData};
use crate::host::error::dependency::{Declared, MissingDependency, MissingHostContract, Offer};
use crate::host::error::runtime::RuntimeError;
use crate::host::store::provider::Provider;

impl Runtime {
    /// Refuses a bundle that lacks a required contract. With [`Compatibility::Relaxed`], only warns if the contract is
    /// one of other bundles.
    pub(crate) fn check_requirements(&self, manifest: &ManifestData) -> Result<(), RuntimeError> {
        let unmet = self.dependents().check(manifest);
        if let Some((need, reason)) = unmet.host_contract {
            let HostDependency { contract, major, minor, line, .. } = need;
            let declared = declared(manifest, contract, *major, *minor, *line);
            return Err(RuntimeError::HostContractMissing(Box::new(MissingHostContract {
                declared,
                reason,
                provided: self.host_contracts().contracts(),
            })));
        }
        if unmet.contracts.is_empty() {
            return Ok(());
        }
        let missing = self.with_offers(manifest, unmet.contracts);
        if self.config().compatibility != Compatibility::Relaxed {
            return Err(RuntimeError::DependencyMissing { missing });
        }
        for missing in missing {
            report!(
                WARN,
                target: "polyplug::compatibility",
                bundle = &manifest.name,
                "{missing}; loaded all the same, for the runtime is relaxed"
            );
        }
        Ok(())
    }

    /// Returns the contracts that a manifest declares as dependencies and that no other bundle provides.
    pub(crate) fn missing_dependencies(&self, manifest: &ManifestData) -> Vec<MissingDependency> {
        self.with_offers(manifest, self.dependents().missing(manifest))
    }

    fn with_offers(&self, manifest: &ManifestData, unmet: Vec<&Dependency>) -> Vec<MissingDependency> {
        if unmet.is_empty() {
            return Vec::new();
        }
        let provided = self.snapshot().view().contracts(None);
        let missing = unmet.into_iter().map(|need| MissingDependency {
            provided: provided.clone(),
            declared: declared_dependency(manifest, need),
            offered: self.offers(manifest, &need.contract),
        });
        missing.collect()
    }

    /// Returns the offers by other bundles of the contracts called `name`.
    fn offers(&self, manifest: &ManifestData, name: &str) -> Vec<Offer> {
        let providers = self.store().named(name).into_iter().filter(|provider| provider.plugin.bundle != manifest.id);
        let offer = |provider: Arc<Provider>| Offer {
            bundle: provider.bundle_name().to_owned(),
            version: provider.plugin.interface.contract_version,
        };
        providers.map(offer).collect()
    }
}

/// Returns the declaration of a dependency in a manifest.
pub(crate) fn declared_dependency(manifest: &ManifestData, need: &Dependency) -> Declared {
    declared(manifest, &need.contract, need.major, need.minor, need.line)
}

fn declared(manifest: &ManifestData, contract: &str, major: u32, minor: u32, line: usize) -> Declared {
    Declared {
        bundle: manifest.name.clone(),
        manifest: manifest.path.join(FILE_NAME),
        line,
        contract: format!("{contract}@{major}.{minor}"),
    }
}
