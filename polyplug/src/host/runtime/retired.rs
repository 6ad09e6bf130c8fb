//! Versions that no longer serve.

use std::sync::{Arc, OnceLock, Weak};

use super::bundles::Loaded;
use super::report::{Holder, Lingering};
use crate::host::store::provider::Provider;
use crate::host::version::version::BundleVersion;

/// What became of a retired version: filled when its code has been taken apart, with what keeps the code in memory all the
/// same.
pub(crate) type ReclaimStatus = Arc<OnceLock<Option<String>>>;

/// A version that no longer serves. Holds nothing of it.
#[derive(Clone)]
pub(crate) struct Retired {
    bundle: String,
    version: Weak<BundleVersion>,
    providers: Vec<Weak<Provider>>,
    status: ReclaimStatus,
}

impl Retired {
    pub(crate) fn new(loaded: &Loaded, status: ReclaimStatus) -> Self {
        Self {
            bundle: loaded.version.name().to_owned(),
            version: Arc::downgrade(&loaded.version),
            providers: loaded.providers.iter().map(Arc::downgrade).collect(),
            status,
        }
    }

    /// Returns what became of it, once that is known: none if its code is gone, else what keeps the code in memory.
    pub(crate) fn status(&self) -> Option<&Option<String>> {
        self.status.get()
    }

    /// Returns whether somebody holds it.
    pub(crate) fn is_held(&self) -> bool {
        self.version.strong_count() > 0
    }

    /// Returns who holds it, as far as is known.
    pub(crate) fn holders(&self) -> Vec<Holder> {
        self.providers.iter().filter_map(Weak::upgrade).flat_map(|provider| holders_of(&provider)).collect()
    }

    /// Returns the names of its threads that have not ended.
    pub(crate) fn threads(&self) -> Vec<String> {
        self.version.upgrade().map(|version| version.threads().names()).unwrap_or_default()
    }

    /// Returns the report of a version that is not gone.
    pub(crate) fn lingering(&self) -> Lingering {
        Lingering { bundle: self.bundle.clone(), holders: self.holders(), threads: self.threads() }
    }
}

/// Returns who holds a provider, as far as is known.
pub(crate) fn holders_of(provider: &Provider) -> Vec<Holder> {
    let contract = &provider.plugin.contract;
    let sites = provider.leases().sites().into_iter();
    sites.map(|(site, count)| Holder { contract: contract.clone(), site, count }).collect()
}
