//! The dependencies among bundles, while several threads load and unload bundles.
//!
//! A load checks and records the needs of its bundle in one step under the lock of the bundles. A reload or an unload
//! decides in such a step which contracts it removes. So if one thread loads a bundle while another thread unloads a
//! bundle that the first one needs, one of the two threads is refused.

use polyplug_abi::{BundleId, DependencyInfo, GuestContractId, Version};

use super::bundles::{BundleTable, Bundles, Loaded};
use super::time_limit::logical_thread;
use crate::host::bundle::manifest::{Dependency, HostDependency, ManifestData};
use crate::host::error::dependency::{Dependent, Unavailable};
use crate::host::error::runtime::RuntimeError;
use crate::host::host_contract::grants::Grants;
use crate::host::host_contract::registry::HostContracts;
use crate::host::plugin::plugin::Plugin;
use crate::host::store::provider::Provider;
use crate::host::store::runtime_store::RuntimeStore;
use crate::host::version::version::BundleVersion;
use crate::sync::Arc;

/// The parts of a runtime in which dependencies among bundles are found.
#[derive(Clone, Copy)]
pub(crate) struct Dependents<'a> {
    pub(crate) bundles: &'a Bundles,
    pub(crate) store: &'a RuntimeStore,
    pub(crate) host_contracts: &'a HostContracts,
    pub(crate) grants: &'a Grants,
}

/// The requirements of a bundle that are not met.
#[derive(Default)]
pub(crate) struct Unmet<'a> {
    /// The first host contract that the bundle needs and cannot use, with the reason.
    pub(crate) host_contract: Option<(&'a HostDependency, Unavailable)>,
    /// The needed contracts that no other bundle provides and will continue to provide.
    pub(crate) contracts: Vec<&'a Dependency>,
}

impl Dependents<'_> {
    /// Returns the requirements of a manifest that are not met. Records the bundle's dependencies, so that their
    /// contracts stay provided during the bundle's change, and after that as long as the bundle needs them.
    pub(crate) fn check<'m>(&self, manifest: &'m ManifestData) -> Unmet<'m> {
        let needed = manifest.host_contracts.iter().filter(|need| !need.optional);
        let host_contract = needed.filter_map(|need| Some((need, self.unavailable(manifest, need)?))).next();
        if host_contract.is_some() {
            return Unmet { host_contract, ..Unmet::default() };
        }
        Unmet { host_contract, contracts: self.record(manifest) }
    }

    fn unavailable(&self, manifest: &ManifestData, need: &HostDependency) -> Option<Unavailable> {
        if !self.grants.allow(manifest.id, need.id()) {
            return Some(Unavailable::NotGranted);
        }
        let Some(provided) = self.host_contracts.find(need.id()) else { return Some(Unavailable::NotProvided) };
        let version = provided.interface().contract_version;
        (version.minor < need.minor).then_some(Unavailable::TooOld(version))
    }

    /// Returns the dependencies of a manifest that no other bundle provides and will continue to provide. Records
    /// nothing.
    pub(crate) fn missing<'m>(&self, manifest: &'m ManifestData) -> Vec<&'m Dependency> {
        self.unsatisfied(&self.bundles.lock(), manifest)
    }

    fn record<'m>(&self, manifest: &'m ManifestData) -> Vec<&'m Dependency> {
        let mut table = self.bundles.lock();
        let unsatisfied = self.unsatisfied(&table, manifest);
        // A reload that has timed out no longer changes the bundle, so its dependencies do not count.
        if let Some(bundle) = table.known.get_mut(&manifest.id)
            && bundle.changer().is_some_and(|changer| changer.on_behalf_of == logical_thread())
        {
            bundle.needs = manifest.dependencies.iter().map(Dependency::info).collect();
        }
        unsatisfied
    }

    fn unsatisfied<'m>(&self, table: &BundleTable, manifest: &'m ManifestData) -> Vec<&'m Dependency> {
        let is_satisfied = |need: &Dependency| {
            let provided = table.provided_elsewhere(self.store, manifest.id, need.id(), need.minor);
            provided >= Some(need.minor)
        };
        manifest.dependencies.iter().filter(|need| !is_satisfied(need)).collect()
    }

    /// Checks that a bundle may provide only `remaining` in place of the providers of `old`. The check fails if another
    /// bundle declares to need more and no other bundle provides that.
    pub(crate) fn check_removal(&self, old: &Loaded, remaining: &[Arc<Provider>]) -> Result<(), RuntimeError> {
        self.allow_removal(&self.bundles.lock(), old, remaining, &[])
    }

    /// Does the same check as [`check_removal`](Self::check_removal), but ignores the needs of the bundles in
    /// `also_unloading`. Records the decision, so that no load relies on the removed contracts until the change has
    /// finished.
    pub(crate) fn commit_removal(
        &self,
        old: &Loaded,
        remaining: &[Arc<Provider>],
        also_unloading: &[BundleId],
    ) -> Result<(), RuntimeError> {
        let mut table = self.bundles.lock();
        self.allow_removal(&table, old, remaining, also_unloading)?;
        if let Some(bundle) = table.known.get_mut(&old.version.id()) {
            let remaining = remaining.iter().map(|provider| (provider.plugin.contract_id, minor(provider)));
            bundle.remaining = Some(remaining.collect());
        }
        Ok(())
    }

    fn allow_removal(
        &self,
        table: &BundleTable,
        old: &Loaded,
        remaining: &[Arc<Provider>],
        also_unloading: &[BundleId],
    ) -> Result<(), RuntimeError> {
        let id = old.version.id();
        let stays = |other: BundleId| other != id && !also_unloading.contains(&other);
        for provider in &old.providers {
            let contract = provider.plugin.contract_id;
            let successor = remaining.iter().find(|remaining| remaining.plugin.contract_id == contract);
            let serving = minor(provider);
            if successor.is_some_and(|successor| minor(successor) >= serving) {
                continue;
            }
            let elsewhere = table.provided_elsewhere(self.store, id, contract, serving);
            if elsewhere >= Some(serving) {
                continue;
            }
            let still_provided = elsewhere.max(successor.map(|successor| minor(successor)));
            let dependents = table.dependents(stays, |need| {
                need.contract_id == contract && need.min_version <= serving && still_provided < Some(need.min_version)
            });
            if !dependents.is_empty() {
                return Err(refusal(&old.version, &provider.plugin, successor, dependents));
            }
        }
        Ok(())
    }
}

/// Returns the error of a change that would leave these dependents without a contract that they need.
fn refusal(
    old: &BundleVersion,
    plugin: &Plugin,
    successor: Option<&Arc<Provider>>,
    dependents: Vec<(String, u32)>,
) -> RuntimeError {
    let (bundle, contract) = (old.name().to_owned(), plugin.contract.clone());
    let serving = plugin.interface.contract_version;
    let Some(successor) = successor else {
        let dependents = dependents.into_iter().map(|(name, _)| name).collect();
        return RuntimeError::DependencyInUse { bundle, contract, dependents };
    };
    let dependent = |(bundle, minor)| Dependent { bundle, needed: Version::new(serving.major, minor, 0) };
    RuntimeError::DependencyLowered {
        bundle,
        contract,
        serving,
        offered: successor.plugin.interface.contract_version,
        dependents: dependents.into_iter().map(dependent).collect(),
    }
}

impl BundleTable {
    /// Returns the newest minor version in which bundles other than `bundle` provide `contract` after the changes that are
    /// decided for them, or the first that is not older than `enough`. Hundreds of bundles may provide one contract.
    fn provided_elsewhere(
        &self,
        store: &RuntimeStore,
        bundle: BundleId,
        contract: GuestContractId,
        enough: u32,
    ) -> Option<u32> {
        store.offers(contract, |offers| {
            let mut newest = None;
            for (other, minor) in offers.filter(|(other, _)| *other != bundle) {
                newest = newest.max(self.minor_after_change(other, contract, minor));
                if newest >= Some(enough) {
                    break;
                }
            }
            newest
        })
    }

    /// Returns the minor version in which a bundle provides `contract` after the change that is decided for it. Returns
    /// `minor`, the present one, if none is decided, and `None` if the change removes the contract.
    fn minor_after_change(&self, bundle: BundleId, contract: GuestContractId, minor: u32) -> Option<u32> {
        let decided = self.known.get(&bundle).and_then(|bundle| bundle.remaining.as_ref());
        let Some(remaining) = decided else { return Some(minor) };
        remaining.iter().find(|(remaining, _)| *remaining == contract).map(|(_, remaining)| minor.min(*remaining))
    }

    /// Returns the bundles that `count` selects and that have a need that `matches` selects, in load order. Each has
    /// its name, and the least minor version that it needs.
    fn dependents(
        &self,
        count: impl Fn(BundleId) -> bool,
        matches: impl Fn(&DependencyInfo) -> bool,
    ) -> Vec<(String, u32)> {
        let mut dependents: Vec<_> = self
            .known
            .iter()
            .filter(|(id, _)| count(**id))
            .filter_map(|(_, bundle)| {
                let declared = bundle.loaded().map(|loaded| loaded.version.scope().declared()).unwrap_or_default();
                let needs = declared.iter().chain(&bundle.needs);
                let needed = needs.filter(|need| matches(need)).map(|need| need.min_version).max()?;
                Some((bundle.order, bundle.name.clone(), needed))
            })
            .collect();
        dependents.sort_unstable();
        dependents.into_iter().map(|(_, name, needed)| (name, needed)).collect()
    }
}

fn minor(provider: &Provider) -> u32 {
    provider.plugin.interface.contract_version.minor
}
