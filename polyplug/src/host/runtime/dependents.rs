//! Who needs whom, while bundles come and go at the same time.
//!
//! What a bundle needs is looked for, and written down, in one step under the lock of the bundles; what a change takes
//! away is decided in such a step as well. So of a bundle that comes and one that goes, which it needs, one is refused.

use std::sync::PoisonError;

use polyplug_abi::{BundleId, DependencyInfo, GuestContractId, Version};

use super::bundles::Bundles;
use super::runtime::Runtime;
use super::time_limit::acting_thread;
use crate::host::bundle::manifest::{Dependency, ManifestData};
use crate::host::error::RuntimeError;
use crate::host::store::provider::{Plugin, Provider};
use crate::host::unmet::Dependent;
use crate::host::version::version::BundleVersion;
use crate::sync::Arc;

/// A contract that is left of what a bundle provides, and its minor version.
pub(crate) type Left = (GuestContractId, u32);

impl Runtime {
    /// The contracts that a manifest declares as dependencies and that no other bundle provides and will go on to.
    pub(crate) fn unmet<'a>(&self, manifest: &'a ManifestData) -> Vec<&'a Dependency> {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        self.unmet_among(&bundles, manifest)
    }

    /// As [`unmet`](Self::unmet). What there is of them stays for as long as this bundle's change is under way, and after
    /// that for as long as the bundle needs it.
    pub(crate) fn tie<'a>(&self, manifest: &'a ManifestData) -> Vec<&'a Dependency> {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let unmet = self.unmet_among(&bundles, manifest);
        // A reload that was given up after its time has no say any more.
        if let Some(bundle) = bundles.known.get_mut(&manifest.id)
            && bundle.changer() == Some(acting_thread())
        {
            bundle.needs = manifest.dependencies.iter().map(Dependency::info).collect();
        }
        unmet
    }

    fn unmet_among<'a>(&self, bundles: &Bundles, manifest: &'a ManifestData) -> Vec<&'a Dependency> {
        let is_met = |need: &Dependency| {
            let offers = self.store.offers(need.id()).into_iter().filter(|(bundle, _)| *bundle != manifest.id);
            offers.into_iter().any(|(bundle, minor)| bundles.lasting(bundle, need.id(), minor) >= Some(need.minor))
        };
        manifest.dependencies.iter().filter(|need| !is_met(need)).collect()
    }

    /// Refuses to let a bundle provide no more than `left` in place of what `old` does, while another bundle declares to
    /// need more and nobody else provides it.
    pub(crate) fn check_dependents(&self, old: &BundleVersion, left: &[Arc<Provider>]) -> Result<(), RuntimeError> {
        let before = old.providers();
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        self.dependents_allow(&bundles, old, &before, left, &[])
    }

    /// As [`check_dependents`](Self::check_dependents). If it is allowed, it is decided: nobody comes to need the rest
    /// until the change has settled.
    ///
    /// The bundles that are `going` as well are not asked.
    pub(crate) fn let_go(
        &self,
        old: &BundleVersion,
        left: &[Arc<Provider>],
        going: &[BundleId],
    ) -> Result<(), RuntimeError> {
        let before = old.providers();
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        self.dependents_allow(&bundles, old, &before, left, going)?;
        if let Some(bundle) = bundles.known.get_mut(&old.id()) {
            bundle.left = Some(left.iter().map(|provider| (provider.plugin.contract_id, minor(provider))).collect());
        }
        Ok(())
    }

    fn dependents_allow(
        &self,
        bundles: &Bundles,
        old: &BundleVersion,
        before: &[Arc<Provider>],
        left: &[Arc<Provider>],
        going: &[BundleId],
    ) -> Result<(), RuntimeError> {
        let stays = |id: BundleId| id != old.id() && !going.contains(&id);
        for provider in before {
            let contract = provider.plugin.contract_id;
            let successor = left.iter().find(|left| left.plugin.contract_id == contract);
            let serving = minor(provider);
            if successor.is_some_and(|successor| minor(successor) >= serving) {
                continue;
            }
            let offers = self.store.offers(contract).into_iter().filter(|(bundle, _)| *bundle != old.id());
            let elsewhere = offers.filter_map(|(bundle, minor)| bundles.lasting(bundle, contract, minor)).max();
            let remains = elsewhere.max(successor.map(|successor| minor(successor)));
            let dependents = bundles.dependents(stays, |need| {
                need.contract_id == contract && need.min_version <= serving && remains < Some(need.min_version)
            });
            if !dependents.is_empty() {
                return Err(refusal(old, &provider.plugin, successor, dependents));
            }
        }
        Ok(())
    }
}

/// What becomes of a change that would leave these dependents without what they need.
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

impl Bundles {
    /// The minor version in which a bundle, which provides `contract` in version `minor`, will still do so after the
    /// change of it that is decided, if one is.
    fn lasting(&self, bundle: BundleId, contract: GuestContractId, minor: u32) -> Option<u32> {
        let Some(left) = self.known.get(&bundle).and_then(|bundle| bundle.left.as_ref()) else { return Some(minor) };
        left.iter().find(|(left, _)| *left == contract).map(|(_, left)| minor.min(*left))
    }

    /// The bundles, in load order, of those that `count`, that need something that `matches`: each with its name, and the
    /// minor version that it needs at least.
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
                let needs = bundle.version().and_then(|version| version.context().bundle.as_ref());
                let needs = needs.map(|scope| scope.declared()).unwrap_or_default().iter().chain(&bundle.needs);
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
