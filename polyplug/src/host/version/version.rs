//! One loaded version of a bundle.

use std::time::Duration;

use polyplug_abi::BundleId;

use super::module::{Kept, Module, Remains};
use super::reclaim::{Reclaimer, VersionResources};
use super::scope::BundleScope;
use super::threads::Threads;
use super::unload::{Unload, UnloadFunction};
use crate::host::abi::table::HostTable;
use crate::host::plugin::instance::SharedInstance;
use crate::revision::Revision;
use crate::sync::{Arc, Mutex, PoisonError, Weak};

/// One loaded version of a bundle: its code, its host table, its revision.
///
/// An `Arc` of a version is a *lease*: while a lease exists, the code stays mapped. Dropping the last lease only hands
/// the version's resources to the reclaimer.
pub(crate) struct BundleVersion {
    /// The revision that proxies read before each call.
    revision: Revision,
    scope: Arc<BundleScope>,
    table: HostTable,
    threads: Arc<Threads>,
    resources: Mutex<VersionResources>,
    reclaimer: Reclaimer,
}

impl BundleVersion {
    /// Makes a version whose code is still to be loaded. `table` makes the host's table for that code, which refers to
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

    /// Keeps `instance` until the version is reclaimed, then destroys it before the modules are closed.
    pub(crate) fn keep_instance(&self, instance: SharedInstance) {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner).instances.push(instance);
    }

    /// Runs `function` once, after the last call of the version, before its modules are closed. `limit` is the time for
    /// which such functions are waited for.
    pub(crate) fn on_unload(&self, limit: Duration, function: UnloadFunction) {
        let mut resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        let unload = &mut resources.unload;
        unload.get_or_insert_with(|| Unload::new(&self.scope.name, &self.reclaimer)).add(limit, function);
    }

    /// Returns the threads that the version's code runs on by way of the host.
    pub(crate) fn threads(&self) -> &Arc<Threads> {
        &self.threads
    }

    pub(crate) fn reclaimer(&self) -> &Reclaimer {
        &self.reclaimer
    }

    /// Returns how many bytes the version's modules occupy, as far as known.
    pub(crate) fn memory(&self) -> u64 {
        let resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        resources.modules.iter().filter_map(|module| module.memory()).sum()
    }

    /// Returns whether the version serves.
    pub(crate) fn is_current(&self) -> bool {
        self.revision.is_current()
    }

    /// Calls `then` when the version has been reclaimed, with what remains of the version's code.
    pub(crate) fn when_gone(&self, then: impl FnOnce(Option<Remains>) + Send + Sync + 'static) {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner).when_gone = Some(Box::new(then));
    }

    /// Marks the version as replaced, so that every proxy resolves the next version. The caller has published that
    /// version.
    pub(crate) fn retire_reloaded(&self) {
        self.revision.set_reloaded();
        self.threads.retire();
    }

    /// Marks the version as unloaded, so that every proxy fails. The caller has removed the bundle from the store.
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
