//! Who needs whom, while bundles come and go at the same time.
//!
//! What a bundle needs is looked for, and written down, in one step under the lock of the bundles; what a change takes
//! away is decided in such a step as well. So of a bundle that comes and one that goes, which it needs, one is refused.

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

/// What bundles need, and what there is of it.
#[derive(Clone, Copy)]
pub(crate) struct Dependents<'a> {
    pub(crate) bundles: &'a Bundles,
    pub(crate) store: &'a RuntimeStore,
    pub(crate) host_contracts: &'a HostContracts,
    pub(crate) grants: &'a Grants,
}

/// What a bundle needs and does not find.
#[derive(Default)]
pub(crate) struct Unmet<'a> {
    /// The first host contract that it needs and cannot have.
    pub(crate) host_contract: Option<(&'a HostDependency, Unavailable)>,
    /// The contracts that no other bundle provides and will go on to provide.
    pub(crate) contracts: Vec<&'a Dependency>,
}

impl Dependents<'_> {
    /// Returns what the bundle of a manifest needs and does not find. Contracts of other bundles that are found stay for as
    /// long as this bundle's change is under way, and after that for as long as the bundle needs them.
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

    /// Returns the contracts that a manifest declares as dependencies and that no other bundle provides and will go on to
    /// provide. Records nothing.
    pub(crate) fn missing<'m>(&self, manifest: &'m ManifestData) -> Vec<&'m Dependency> {
        self.unsatisfied(&self.bundles.lock(), manifest)
    }

    fn record<'m>(&self, manifest: &'m ManifestData) -> Vec<&'m Dependency> {
        let mut table = self.bundles.lock();
        let unsatisfied = self.unsatisfied(&table, manifest);
        // A reload that was given up after its time has no say any more.
        if let Some(bundle) = table.known.get_mut(&manifest.id)
            && bundle.changer() == Some(logical_thread())
        {
            bundle.needs = manifest.dependencies.iter().map(Dependency::info).collect();
        }
        unsatisfied
    }

    fn unsatisfied<'m>(&self, table: &BundleTable, manifest: &'m ManifestData) -> Vec<&'m Dependency> {
        let is_satisfied = |need: &Dependency| {
            let offers = self.store.offers(need.id()).into_iter().filter(|(bundle, _)| *bundle != manifest.id);
            offers
                .into_iter()
                .any(|(bundle, minor)| table.minor_after_change(bundle, need.id(), minor) >= Some(need.minor))
        };
        manifest.dependencies.iter().filter(|need| !is_satisfied(need)).collect()
    }

    /// Refuses to let a bundle provide no more than `remaining` in place of what `old` provides, while another bundle
    /// declares to need more and nobody else provides it.
    pub(crate) fn check_removal(&self, old: &Loaded, remaining: &[Arc<Provider>]) -> Result<(), RuntimeError> {
        self.allow_removal(&self.bundles.lock(), old, remaining, &[])
    }

    /// As [`check_removal`](Self::check_removal). If it is allowed, it is decided: nobody comes to need the rest until the
    /// change has finished. The bundles in `also_unloading` are not asked.
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
            let offers = self.store.offers(contract).into_iter().filter(|(bundle, _)| *bundle != id);
            let elsewhere =
                offers.filter_map(|(bundle, minor)| table.minor_after_change(bundle, contract, minor)).max();
            let remains = elsewhere.max(successor.map(|successor| minor(successor)));
            let dependents = table.dependents(stays, |need| {
                need.contract_id == contract && need.min_version <= serving && remains < Some(need.min_version)
            });
            if !dependents.is_empty() {
                return Err(refusal(&old.version, &provider.plugin, successor, dependents));
            }
        }
        Ok(())
    }
}

/// Returns the error of a change that would leave these dependents without what they need.
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
    /// Returns the minor version in which a bundle, which provides `contract` in version `minor`, will still do so after the
    /// change of it that is decided, if one is.
    fn minor_after_change(&self, bundle: BundleId, contract: GuestContractId, minor: u32) -> Option<u32> {
        let decided = self.known.get(&bundle).and_then(|bundle| bundle.remaining.as_ref());
        let Some(remaining) = decided else { return Some(minor) };
        remaining.iter().find(|(remaining, _)| *remaining == contract).map(|(_, remaining)| minor.min(*remaining))
    }

    /// Returns the bundles, in load order, of those that `count`, that need something that `matches`: each with its name, and
    /// the minor version that it needs at least.
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
