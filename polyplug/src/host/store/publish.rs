//! How a version stops serving: the order of the steps, of which each relies on the one before.

use super::instances::{Cell, Next};
use super::provider::Provider;
use super::runtime_store::RuntimeStore;
use crate::host::version::version::BundleVersion;
use crate::sync::Arc;

/// Has `providers` serve in place of `old`. `next` says how the instances that are held go on.
pub(crate) fn replace(
    store: &RuntimeStore,
    old: &BundleVersion,
    providers: Vec<Arc<Provider>>,
    next: Vec<(Arc<Cell>, Next)>,
) {
    let mut replaced: Vec<_> = next.into_iter().map(|(cell, next)| next.apply(&cell)).collect();
    store.replace_bundle(old.id(), providers);
    // Last, so that a proxy that sees the word finds the new version in the store and in its cell.
    old.retire_reloaded();
    for provider in old.providers() {
        provider.holders().retire();
        // Instances that reached the old version too late to be counted are looked after by their next call.
        replaced.extend(provider.holders().carried().iter().map(|cell| cell.leave(old)));
    }
    drop(replaced);
}

/// Takes `version` out of service.
pub(crate) fn withdraw(store: &RuntimeStore, version: &BundleVersion) {
    store.invalidate_bundle(version.id());
    // After that, so that a proxy that sees the word does not find the version itself.
    version.retire_unloaded();
    for provider in version.providers() {
        provider.holders().retire();
        for (cell, _) in provider.holders().cells() {
            drop(cell.clear());
        }
    }
}
