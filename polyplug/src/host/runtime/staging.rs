//! A bundle between its loader's start and its publication.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use polyplug_abi::{BundleInitContext, HostApi, StringView};

use super::context::HostContext;
use crate::host::error::registry::RegistryError;
use crate::host::plugin::plugin::Plugin;
use crate::host::version::module::Module;
use crate::host::version::version::BundleVersion;

/// A bundle that is being loaded, as its loader sees it. From [`Runtime::staging`](crate::Runtime::staging).
#[derive(Clone)]
pub struct Staging {
    version: Arc<BundleVersion>,
    context: Arc<HostContext>,
}

thread_local! {
    /// The bundles that this thread is loading, the innermost last.
    static LOADING: RefCell<Vec<Staging>> = const { RefCell::new(Vec::new()) };
}

/// Marks a bundle as being loaded by this thread until dropped.
pub(crate) struct LoadScope(());

impl LoadScope {
    pub(crate) fn enter(staging: &Staging) -> Self {
        LOADING.with_borrow_mut(|loading| loading.push(staging.clone()));
        Self(())
    }
}

impl Drop for LoadScope {
    fn drop(&mut self) {
        let staging = LOADING.with_borrow_mut(Vec::pop);
        drop(staging); // outside of the borrow: it may be the last lease
    }
}

/// Returns the innermost bundle that this thread is loading, of those that `matches`.
pub(crate) fn current_load(matches: impl Fn(&Staging) -> bool) -> Option<Staging> {
    LOADING.with_borrow(|loading| loading.iter().rev().find(|staging| matches(staging)).cloned())
}

impl Staging {
    pub(crate) fn new(version: Arc<BundleVersion>, context: Arc<HostContext>) -> Self {
        Self { version, context }
    }

    /// Returns the table to hand to the bundle's code. It lives as long as that code may run.
    #[must_use]
    pub fn host_abi(&self) -> *const HostApi {
        self.context.host_api()
    }

    pub(crate) fn context(&self) -> &Arc<HostContext> {
        &self.context
    }

    pub(crate) fn version(&self) -> &Arc<BundleVersion> {
        &self.version
    }

    /// Registers the plugin that was read, or remembers why it could not be.
    pub(crate) fn register(&self, plugin: Result<Plugin, RegistryError>) -> Result<(), RegistryError> {
        self.version.scope().registrations.add(plugin)
    }

    /// Returns what to hand to `polyplug_init` for a bundle at `path`; valid while `path` is.
    #[must_use]
    pub fn init_context(&self, path: &Path) -> BundleInitContext {
        let path = StringView::lend(path.as_os_str().as_encoded_bytes());
        BundleInitContext { bundle_id: self.version.id().id(), bundle_path: path }
    }

    /// Keeps `value` until nothing can run the bundle's code any more; then drops it.
    ///
    /// The drop happens after the last instance has ended, on a thread that has none of the code's frames. What was
    /// kept last goes first.
    pub fn keep(&self, value: impl Send + Sync + 'static) {
        self.version.keep(value);
    }

    /// As [`keep`](Self::keep), for what can tell whether it has really gone.
    pub fn keep_module(&self, module: impl Module + 'static) {
        self.version.keep_module(Box::new(module));
    }
}

impl std::fmt::Debug for Staging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Staging({})", self.version.name())
    }
}
