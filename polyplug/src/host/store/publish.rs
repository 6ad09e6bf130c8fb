//! The steps that make a version serve, replace it or retire it. The order of the steps matters, as each step relies on
//! the one before.

use super::instances::{ForwardingCell, Transition};
use super::provider::Provider;
use super::runtime_store::RuntimeStore;
use crate::host::error::registry::RegistryError;
use crate::host::version::lineage::Lineage;
use crate::host::version::version::BundleVersion;
use crate::sync::Arc;

/// Makes `providers` serve, which are the first providers of a bundle.
pub(crate) fn publish_version(
    store: &RuntimeStore,
    lineage: &Lineage<Arc<Provider>>,
    providers: &[Arc<Provider>],
) -> Result<(), RegistryError> {
    // First, so that a provider that is found in the store is also found in its lineage.
    lineage.set(providers.to_vec());
    store.publish(providers.to_vec()).map(drop).inspect_err(|_| lineage.clear())
}

/// Makes `providers` serve in place of `before`, the providers of `old`. `next` has the transition of each held
/// instance.
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
    // Last, as this is the release store of the revision: a proxy whose acquire load sees it finds the new version in
    // its lineage and in its cell.
    old.retire_reloaded();
    for provider in before {
        provider.leases().retire();
        // An instance that reached the old version too late to be migrated is forwarded by its next call.
        replaced.extend(provider.leases().carried().iter().map(|cell| cell.leave(old)));
    }
    drop(replaced);
}

/// Takes `version`, whose providers are `before`, out of service.
pub(crate) fn retire_version(
    store: &RuntimeStore,
    lineage: &Lineage<Arc<Provider>>,
    version: &BundleVersion,
    before: &[Arc<Provider>],
) {
    store.invalidate_bundle(version.id());
    lineage.clear();
    // After that, so that a proxy whose acquire load sees the changed revision does not find this version in its
    // lineage.
    version.retire_unloaded();
    for provider in before {
        provider.leases().retire();
        for (cell, _) in provider.leases().cells() {
            drop(cell.clear());
        }
    }
}
