//! One loaded generation of a bundle.

use polyplug_abi::BundleId;

use super::module::{Kept, Module};
use super::reclaim::{Reclaimer, VersionResources};
use super::scope::BundleScope;
use super::threads::Threads;
use crate::host::abi::table::HostTable;
use crate::host::plugin::instance::SharedInstance;
use crate::revision::Revision;
use crate::sync::{Arc, Mutex, PoisonError, Weak};

/// One loaded generation of a bundle: its code, its host table, its revision word.
///
/// An `Arc` of it is a *lease*: while one exists the code stays mapped. The last one to go only hands what is left of the
/// version to the reclaimer.
pub(crate) struct BundleVersion {
    /// What proxies look at before each call.
    revision: Revision,
    scope: Arc<BundleScope>,
    table: HostTable,
    threads: Arc<Threads>,
    resources: Mutex<VersionResources>,
    reclaimer: Reclaimer,
}

impl BundleVersion {
    /// Makes a version whose code is still to be loaded. `table` makes the host's table for that code, which leads back to
    /// the version.
    pub(crate) fn new(
        scope: BundleScope,
        reclaimer: &Reclaimer,
        table: impl FnOnce(&Weak<Self>, &Arc<BundleScope>) -> HostTable,
    ) -> Arc<Self> {
        let scope = Arc::new(scope);
        Arc::new_cyclic(|this| Self {
            revision: Revision::current(),
            table: table(this, &scope),
            scope,
            threads: Arc::default(),
            resources: Mutex::default(),
            reclaimer: reclaimer.clone(),
        })
    }

    pub(crate) fn id(&self) -> BundleId {
        self.scope.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.scope.name
    }

    /// Returns what the version may use and has registered.
    pub(crate) fn scope(&self) -> &Arc<BundleScope> {
        &self.scope
    }

    pub(crate) fn revision(&self) -> &Revision {
        &self.revision
    }

    /// Returns the host's table for this version's code.
    pub(crate) fn table(&self) -> &HostTable {
        &self.table
    }

    /// Keeps `module` until the version is reclaimed.
    pub(crate) fn keep_module(&self, module: Box<dyn Module>) {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner).modules.push(module);
    }

    /// Keeps `value` until the version is reclaimed, then drops it.
    pub(crate) fn keep(&self, value: impl Send + Sync + 'static) {
        self.keep_module(Box::new(Kept(value)));
    }

    /// Ends `instance` when the version is reclaimed, before the modules go.
    pub(crate) fn keep_instance(&self, instance: SharedInstance) {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner).instances.push(instance);
    }

    /// Returns the threads that its code runs on by way of the host.
    pub(crate) fn threads(&self) -> &Arc<Threads> {
        &self.threads
    }

    pub(crate) fn reclaimer(&self) -> &Reclaimer {
        &self.reclaimer
    }

    /// Returns how many bytes its modules occupy, as far as they can tell.
    pub(crate) fn memory(&self) -> u64 {
        let resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        resources.modules.iter().filter_map(|module| module.memory()).sum()
    }

    /// Returns whether the version serves.
    pub(crate) fn is_current(&self) -> bool {
        self.revision.is_current()
    }

    /// Calls `then` when the version's code has been taken apart, with what keeps it in memory all the same.
    pub(crate) fn when_gone(&self, then: impl FnOnce(Option<&str>) + Send + Sync + 'static) {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner).when_gone = Some(Box::new(then));
    }

    /// Sends every proxy to look for the next version, after that was published.
    pub(crate) fn retire_reloaded(&self) {
        self.revision.set_reloaded();
        self.threads.retire();
    }

    /// Makes every proxy fail, likewise after the bundle is gone from the store.
    pub(crate) fn retire_unloaded(&self) {
        self.revision.set_unloaded();
        self.threads.retire();
    }
}

impl Drop for BundleVersion {
    fn drop(&mut self) {
        let mut resources = std::mem::take(self.resources.get_mut().unwrap_or_else(PoisonError::into_inner));
        resources.table = Some(self.table.clone());
        self.reclaimer.enqueue(resources);
    }
}
