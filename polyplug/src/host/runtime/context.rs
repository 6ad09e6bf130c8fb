//! What stands behind a host table: whose it is, and which runtime it leads to.

use std::sync::{Arc, Weak};

use polyplug_abi::{BundleId, DependencyInfo, GuestContractId, HostApi, HostContractId};

use super::runtime::Runtime;
use super::staging::Registrations;
use crate::host::api;
use crate::host::bundle::manifest::HostDependency;
use crate::host::version::version::BundleVersion;

/// A host table with what its functions need. Each loaded version has one, and the host itself.
///
/// Holds its runtime weakly: a plugin that keeps its table keeps neither runtime nor bundle alive.
#[repr(C)]
pub(crate) struct HostContext {
    /// First, so that the table's address is the context's.
    api: HostApi,
    runtime: Weak<Runtime>,
    /// The version whose table it is; dangling for the host's own.
    version: Weak<BundleVersion>,
    /// Whose table it is; absent for the host's own.
    pub(crate) bundle: Option<BundleScope>,
}

/// What a bundle may do and has done.
pub(crate) struct BundleScope {
    pub(crate) id: BundleId,
    pub(crate) name: String,
    /// The contracts of others that its manifest declares; absent for what has no manifest, and is part of the program.
    pub(crate) dependencies: Option<Vec<DependencyInfo>>,
    /// The host contracts that its manifest lists. Empty: it may use all.
    pub(crate) host_contracts: Vec<HostDependency>,
    /// Its settings, as JSON.
    pub(crate) config: String,
    pub(crate) registrations: Registrations,
}

impl BundleScope {
    /// The least minor version of a contract of others that the bundle may call; none if it may not call it at all.
    pub(crate) fn least_minor(&self, contract: GuestContractId) -> Option<u32> {
        let Some(declared) = &self.dependencies else { return Some(0) };
        declared.iter().find(|need| need.contract_id == contract).map(|need| need.min_version)
    }

    /// The least minor version of a host contract that the bundle may use; none if its manifest lists others only.
    pub(crate) fn least_of_host(&self, contract: HostContractId) -> Option<u32> {
        if self.host_contracts.is_empty() {
            return Some(0);
        }
        self.host_contracts.iter().find(|need| need.id() == contract).map(|need| need.minor)
    }

    /// What its manifest declares.
    pub(crate) fn declared(&self) -> &[DependencyInfo] {
        self.dependencies.as_deref().unwrap_or_default()
    }
}

impl HostContext {
    /// The host's own table.
    pub(crate) fn new(runtime: Weak<Runtime>) -> Arc<Self> {
        Self::make(runtime, Weak::new(), None)
    }

    /// The table of a bundle's version.
    pub(crate) fn of_version(runtime: Weak<Runtime>, version: &Arc<BundleVersion>, scope: BundleScope) -> Arc<Self> {
        Self::make(runtime, Arc::downgrade(version), Some(scope))
    }

    fn make(runtime: Weak<Runtime>, version: Weak<BundleVersion>, bundle: Option<BundleScope>) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| {
            let api = api::table(this.as_ptr().cast_mut().cast());
            Self { api, runtime, version, bundle }
        })
    }

    /// The table.
    pub(crate) fn host_api(self: &Arc<Self>) -> *const HostApi {
        // From the `Arc` itself, so that the pointer may be used to reach the whole context and its count.
        Arc::as_ptr(self).cast()
    }

    /// The runtime, while it lives.
    pub(crate) fn runtime(&self) -> Option<Arc<Runtime>> {
        self.runtime.upgrade()
    }

    /// The version whose table it is, as a lease; absent for the host's own, and when the version is gone.
    pub(crate) fn version(&self) -> Option<Arc<BundleVersion>> {
        self.version.upgrade()
    }

    pub(crate) fn weak_runtime(&self) -> Weak<Runtime> {
        self.runtime.clone()
    }

    /// Whether this is a table of `runtime`.
    pub(crate) fn belongs_to(&self, runtime: &Runtime) -> bool {
        std::ptr::eq(self.runtime.as_ptr(), runtime)
    }

    /// The context behind a table.
    ///
    /// # Safety
    ///
    /// `api` must be null or a valid table of ours, and stay so for `'a`.
    pub(crate) unsafe fn of<'a>(api: *const HostApi) -> Option<&'a Self> {
        // SAFETY: the caller's promise.
        let context = unsafe { api.as_ref() }?.runtime.cast::<Self>();
        // SAFETY: `table` was given the context's address, which is null for nobody.
        unsafe { context.as_ref() }
    }
}
