//! The records of versions that no longer serve.

use std::sync::{Arc, OnceLock, Weak};

use super::bundles::Loaded;
use super::report::{Holder, Lingering};
use crate::host::store::provider::Provider;
use crate::host::version::module::Remains;
use crate::host::version::version::BundleVersion;

/// The status of a retired version: empty until the version is reclaimed, then `None`, or what remains of the version's
/// code.
pub(crate) type ReclaimStatus = Arc<OnceLock<Option<Remains>>>;

/// The record of a version that no longer serves. Holds no lease on the version.
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

    /// Returns the status of a reclaimed version: `None`, or what remains of its code. Returns no status if the version
    /// is not reclaimed yet.
    pub(crate) fn status(&self) -> Option<&Option<Remains>> {
        self.status.get()
    }

    /// Returns whether a lease on the version exists.
    pub(crate) fn is_held(&self) -> bool {
        self.version.strong_count() > 0
    }

    /// Returns the known leases on the version.
    pub(crate) fn holders(&self) -> Vec<Holder> {
        self.providers.iter().filter_map(Weak::upgrade).flat_map(|provider| holders_of(&provider)).collect()
    }

    /// Returns the names of the version's threads that have not ended.
    pub(crate) fn threads(&self) -> Vec<String> {
        self.version.upgrade().map(|version| version.threads().names()).unwrap_or_default()
    }

    /// Returns whether the version is reclaimed, and nothing remains of its code. Runs code of the version's loader.
    pub(crate) fn is_gone(&self) -> bool {
        match self.status() {
            None => false,
            Some(remains) => !remains.as_ref().is_some_and(Remains::are_there),
        }
    }

    /// Returns whether this is another record of the same version.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.status, &other.status)
    }

    /// Returns the report of a version that is not gone.
    pub(crate) fn lingering(&self) -> Lingering {
        let (bundle, holders, mut threads) = (self.bundle.clone(), self.holders(), self.threads());
        let remains = self.status().cloned().flatten();
        let still_mapped = remains.map(|remains| {
            threads.extend(remains.threads);
            remains.reason
        });
        Lingering { bundle, holders, threads, still_mapped }
    }
}

/// Returns the known leases on a provider.
pub(crate) fn holders_of(provider: &Provider) -> Vec<Holder> {
    let contract = &provider.plugin.contract;
    let sites = provider.leases().sites().into_iter();
    sites.map(|(site, count)| Holder { contract: contract.clone(), site, count }).collect()
}
