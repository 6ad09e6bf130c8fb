//! The data behind a host table: its runtime, its version and its bundle.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use polyplug_abi::{BundleId, HostApi};

use super::runtime::Runtime;
use crate::host::abi::object_tokens::{ObjectMethods, ObjectTokens};
use crate::host::abi::table::HostTable;
use crate::host::version::scope::BundleScope;
use crate::host::version::version::BundleVersion;

/// A host table with the data that its functions need. Each loaded version has one, and the host has one.
///
/// The reference to the runtime is weak, so a plugin that keeps its table keeps neither the runtime nor its bundle
/// alive.
#[repr(C)]
pub(crate) struct HostContext {
    /// The table. It is the first field, so that the table's address is the context's address.
    api: HostApi,
    runtime: Weak<Runtime>,
    /// The version that has this table. Dangling for the host's own table.
    version: Weak<BundleVersion>,
    /// The bundle that has this table. Absent for the host's own table.
    pub(crate) bundle: Option<Arc<BundleScope>>,
    /// The number of references that `retain_host` has made, and `release_host` not ended.
    retained: AtomicUsize,
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
            Self { api, runtime, version, bundle, retained: AtomicUsize::new(0) }
        })
    }

    /// Returns the table, which keeps the context alive.
    pub(crate) fn table(self: &Arc<Self>) -> HostTable {
        let (api, owner) = (self.api(), Arc::clone(self));
        // SAFETY: the table is the context's first field (`repr(C)`), and `owner` keeps the context alive.
        unsafe { HostTable::new(api, owner) }
    }

    /// Returns the table's address, which is valid as long as the context.
    pub(crate) fn host_api(self: &Arc<Self>) -> *const HostApi {
        self.api().as_ptr()
    }

    /// Returns the same table as [`host_api`](Self::host_api).
    pub(crate) fn api(self: &Arc<Self>) -> NonNull<HostApi> {
        // The pointer is that of the `Arc`, so it may be used to access the whole context and the reference count.
        NonNull::new(Arc::as_ptr(self).cast_mut().cast()).expect("an `Arc` has an address")
    }

    /// Returns the runtime, while it exists.
    pub(crate) fn runtime(&self) -> Option<Arc<Runtime>> {
        self.runtime.upgrade()
    }

    /// Returns the version that has this table, as a lease. Returns `None` for the host's own table, and if the version
    /// has no lease any more.
    pub(crate) fn version(&self) -> Option<Arc<BundleVersion>> {
        self.version.upgrade()
    }

    /// Returns the id of the bundle that has this table, or `None` for the host's own table.
    pub(crate) fn bundle_id(&self) -> Option<BundleId> {
        self.bundle.as_ref().map(|scope| scope.id)
    }

    /// Counts a reference of `retain_host`.
    pub(crate) fn retain(&self) {
        self.retained.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends the count of a reference. Returns whether `retain_host` had made one.
    pub(crate) fn release(&self) -> bool {
        self.retained.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1)).is_ok()
    }

    /// Returns whether this is a table of `runtime`.
    pub(crate) fn belongs_to(&self, runtime: &Runtime) -> bool {
        std::ptr::eq(self.runtime.as_ptr(), runtime)
    }

    /// Returns the context behind a table.
    ///
    /// # Safety
    ///
    /// `api` must be null, or a table of a `HostContext` that is valid for `'a`.
    pub(crate) unsafe fn of<'a>(api: *const HostApi) -> Option<&'a Self> {
        // SAFETY: the caller promises null or a valid table.
        let context = unsafe { api.as_ref() }?.runtime.cast::<Self>();
        // SAFETY: `new` stored the context's address in `runtime`. The table lies in the context, so both are valid for
        // the same time.
        unsafe { context.as_ref() }
    }
}

impl ObjectTokens for HostContext {
    fn adapt(&self, token: *mut c_void, methods: Arc<dyn ObjectMethods>) -> Result<*mut c_void, String> {
        let runtime = self.runtime().ok_or("the runtime has ended")?;
        let adapted = runtime.plugin_proxies().adapt(token, methods);
        runtime.release_on_reclaimer();
        adapted
    }

    fn close_adapted(&self, token: *mut c_void) {
        if let Some(runtime) = self.runtime() {
            runtime.plugin_proxies().close_adapted(token);
            runtime.release_on_reclaimer();
        }
    }
}
