//! A bundle that is being loaded, from the start of its loader to its publication.

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

/// A mark that this thread is loading a bundle, until dropped.
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
        drop(staging); // after the borrow, as this may be the last lease
    }
}

/// Returns the innermost bundle that this thread is loading and that `matches` accepts.
pub(crate) fn current_load(matches: impl Fn(&Staging) -> bool) -> Option<Staging> {
    LOADING.with_borrow(|loading| loading.iter().rev().find(|staging| matches(staging)).cloned())
}

impl Staging {
    pub(crate) fn new(version: Arc<BundleVersion>, context: Arc<HostContext>) -> Self {
        Self { version, context }
    }

    /// Returns the table to pass to the bundle's code. The table is valid as long as that code may run.
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

    /// Registers a plugin, or records the error with which the plugin could not be read.
    pub(crate) fn register(&self, plugin: Result<Plugin, RegistryError>) -> Result<(), RegistryError> {
        self.version.scope().registrations.add(plugin)
    }

    /// Returns the bundle's own directory, absolute, or `None` for a bundle that has no directory. The version may run
    /// from a private copy, whose path nothing that its author sees should name.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.version.scope().directory.as_deref()
    }

    /// Returns the argument of `polyplug_init`, with the path of [`directory`](Self::directory). The argument is valid as
    /// long as the staging's table.
    #[must_use]
    pub fn init_context(&self) -> BundleInitContext {
        let path =
            self.directory().map_or(StringView::null(), |path| StringView::lend(path.as_os_str().as_encoded_bytes()));
        BundleInitContext { bundle_id: self.version.id().id(), bundle_path: path }
    }

    /// Keeps `value` until no thread can run the bundle's code any more, then drops it.
    ///
    /// The values are dropped after the last instance, the latest one first, on a thread that has no frames of the
    /// bundle's code.
    pub fn keep(&self, value: impl Send + Sync + 'static) {
        self.version.keep(value);
    }

    /// Keeps a part of the bundle's code as [`keep`](Self::keep) does. After the module is closed, reports say whether
    /// its code is still in memory.
    pub fn keep_module(&self, module: impl Module + 'static) {
        self.version.keep_module(Box::new(module));
    }
}

impl std::fmt::Debug for Staging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Staging({})", self.version.name())
    }
}
