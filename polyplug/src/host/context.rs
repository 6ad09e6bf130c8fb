//! What stands behind a host table: whose it is, and which runtime it leads to.

use std::sync::{Arc, Weak};

use polyplug_abi::{BundleId, DependencyInfo, HostApi};

use super::api;
use super::runtime::Runtime;
use super::staging::Registrations;

/// A host table with what its functions need. Each loaded version has one, and the host itself.
///
/// Holds its runtime weakly: a plugin that keeps its table keeps neither runtime nor bundle alive.
#[repr(C)]
pub(super) struct HostContext {
    /// First, so that the table's address is the context's.
    api: HostApi,
    runtime: Weak<Runtime>,
    /// Whose table it is; absent for the host's own.
    pub(super) bundle: Option<BundleScope>,
}

/// What a bundle may do and has done.
pub(super) struct BundleScope {
    pub(super) id: BundleId,
    pub(super) name: String,
    pub(super) dependencies: Vec<DependencyInfo>,
    pub(super) registrations: Registrations,
}

impl HostContext {
    pub(super) fn new(runtime: Weak<Runtime>, bundle: Option<BundleScope>) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self { api: api::table(this.as_ptr().cast_mut().cast()), runtime, bundle })
    }

    /// The table.
    pub(super) fn host_api(self: &Arc<Self>) -> *const HostApi {
        // From the `Arc` itself, so that the pointer may be used to reach the whole context and its count.
        Arc::as_ptr(self).cast()
    }

    /// The runtime, while it lives.
    pub(super) fn runtime(&self) -> Option<Arc<Runtime>> {
        self.runtime.upgrade()
    }

    pub(super) fn weak_runtime(&self) -> Weak<Runtime> {
        self.runtime.clone()
    }

    /// Whether this is a table of `runtime`.
    pub(super) fn belongs_to(&self, runtime: &Runtime) -> bool {
        std::ptr::eq(self.runtime.as_ptr(), runtime)
    }

    /// The context behind a table.
    ///
    /// # Safety
    ///
    /// `api` must be null or a valid table of ours, and stay so for `'a`.
    pub(super) unsafe fn of<'a>(api: *const HostApi) -> Option<&'a Self> {
        // SAFETY: the caller's promise.
        let context = unsafe { api.as_ref() }?.runtime.cast::<Self>();
        // SAFETY: `table` was given the context's address, which is null for nobody.
        unsafe { context.as_ref() }
    }
}
