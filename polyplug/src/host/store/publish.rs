//! How a version stops serving: the order of the steps, of which each relies on the one before.

use super::instances::{ForwardingCell, Transition};
use super::provider::Provider;
use super::runtime_store::RuntimeStore;
use crate::host::error::registry::RegistryError;
use crate::host::version::lineage::Lineage;
use crate::host::version::version::BundleVersion;
use crate::sync::Arc;

/// Has `providers` serve, the first ones of a bundle.
pub(crate) fn publish_version(
    store: &RuntimeStore,
    lineage: &Lineage<Arc<Provider>>,
    providers: &[Arc<Provider>],
) -> Result<(), RegistryError> {
    // First, so that whoever finds one of them in the store finds it serving.
    lineage.set(providers.to_vec());
    store.publish(providers.to_vec()).map(drop).inspect_err(|_| lineage.clear())
}

/// Has `providers` serve in place of `before`, those of `old`. `next` says how the instances that are held go on.
pub(crate) fn swap_version(
    store: &RuntimeStore,
    lineage: &Lineage<Arc<Provider>>,
    old: &BundleVersion,
    before: &[Arc<Provider>],
    providers: &[Arc<Provider>],
    next: Vec<(Arc<ForwardingCell>, Transition)>,
) {
    let mut replaced: Vec<_> = next.into_iter().map(|(cell, next)| next.apply(&cell)).collect();
    store.replace_bundle(old.id(), providers.to_vec());
    lineage.set(providers.to_vec());
    // Last, so that a proxy that sees the word finds the new version in its lineage and in its cell.
    old.retire_reloaded();
    for provider in before {
        provider.leases().retire();
        // Instances that reached the old version too late to be counted are looked after by their next call.
        replaced.extend(provider.leases().carried().iter().map(|cell| cell.leave(old)));
    }
    drop(replaced);
}

/// Takes `version` out of service, whose providers are `before`.
pub(crate) fn retire_version(
    store: &RuntimeStore,
    lineage: &Lineage<Arc<Provider>>,
    version: &BundleVersion,
    before: &[Arc<Provider>],
) {
    store.invalidate_bundle(version.id());
    lineage.clear();
    // After that, so that a proxy that sees the word does not find the version itself.
    version.retire_unloaded();
    for provider in before {
        provider.leases().retire();
        for (cell, _) in provider.leases().cells() {
            drop(cell.clear());
        }
    }
}
