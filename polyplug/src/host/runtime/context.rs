//! What stands behind a host table: whose it is, and which runtime it leads to.

use std::ptr::NonNull;
use std::sync::{Arc, Weak};

use polyplug_abi::HostApi;

use super::runtime::Runtime;
use crate::host::abi::table::HostTable;
use crate::host::version::scope::BundleScope;
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
    /// The bundle whose table it is; absent for the host's own.
    pub(crate) bundle: Option<Arc<BundleScope>>,
}

impl HostContext {
    /// Makes the host's own table, with the functions of `functions`.
    pub(crate) fn of_host(runtime: Weak<Runtime>, functions: &HostApi) -> Arc<Self> {
        Self::new(runtime, functions, Weak::new(), None)
    }

    /// Makes the table of a bundle's version, with the functions of `functions`.
    pub(crate) fn of_version(
        runtime: Weak<Runtime>,
        functions: &HostApi,
        version: Weak<BundleVersion>,
        scope: Arc<BundleScope>,
    ) -> Arc<Self> {
        Self::new(runtime, functions, version, Some(scope))
    }

    fn new(
        runtime: Weak<Runtime>,
        functions: &HostApi,
        version: Weak<BundleVersion>,
        bundle: Option<Arc<BundleScope>>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| {
            let api = HostApi { runtime: this.as_ptr().cast_mut().cast(), ..*functions };
            Self { api, runtime, version, bundle }
        })
    }

    /// Returns the table, which keeps the context.
    pub(crate) fn table(self: &Arc<Self>) -> HostTable {
        // From the `Arc` itself, so that the pointer may be used to reach the whole context and its count.
        let api = NonNull::new(Arc::as_ptr(self).cast_mut().cast()).expect("an `Arc` has an address");
        let owner: Arc<Self> = Arc::clone(self);
        // SAFETY: the table is the context's first field, and valid as long as the context.
        unsafe { HostTable::new(api, owner) }
    }

    /// Returns the table's address, which is valid as long as the context.
    pub(crate) fn host_api(self: &Arc<Self>) -> *const HostApi {
        Arc::as_ptr(self).cast()
    }

    /// Returns the runtime, while it exists.
    pub(crate) fn runtime(&self) -> Option<Arc<Runtime>> {
        self.runtime.upgrade()
    }

    /// Returns the version whose table it is, as a lease; none for the host's own, and when the version is gone.
    pub(crate) fn version(&self) -> Option<Arc<BundleVersion>> {
        self.version.upgrade()
    }

    /// Returns whether this is a table of `runtime`.
    pub(crate) fn belongs_to(&self, runtime: &Runtime) -> bool {
        std::ptr::eq(self.runtime.as_ptr(), runtime)
    }

    /// Returns the context behind a table.
    ///
    /// # Safety
    ///
    /// `api` must be null or a valid table of ours, and stay so for `'a`.
    pub(crate) unsafe fn of<'a>(api: *const HostApi) -> Option<&'a Self> {
        // SAFETY: the caller promises null or a valid table.
        let context = unsafe { api.as_ref() }?.runtime.cast::<Self>();
        // SAFETY: `new` put the context's address there, which is valid as long as the table that lies in it.
        unsafe { context.as_ref() }
    }
}
