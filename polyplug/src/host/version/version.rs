//! One loaded generation of a bundle.

use polyplug_abi::BundleId;

use super::reclaim::{Reclaimer, Remains};
use super::threads::Threads;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::loader::Module;
use crate::host::store::provider::{Provider, SharedInstance};
use crate::revision::Revision;
use crate::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// One loaded generation of a bundle: its code, its host table, its word.
///
/// An `Arc` of it is a *lease*: while one exists the code stays mapped. The last one to go only hands the remains to
/// the reclaimer.
pub(crate) struct BundleVersion {
    /// What proxies look at before each call.
    word: Revision,
    /// The same for all versions from one load to the unload that follows.
    life: Arc<()>,
    id: BundleId,
    name: String,
    context: OnceLock<Arc<HostContext>>,
    providers: OnceLock<Vec<Weak<Provider>>>,
    threads: Arc<Threads>,
    remains: Mutex<Remains>,
    reclaimer: Reclaimer,
}

impl BundleVersion {
    pub(crate) fn new(id: BundleId, name: &str, reclaimer: &Reclaimer, life: Arc<()>) -> Arc<Self> {
        Arc::new(Self {
            word: Revision::current(),
            life,
            id,
            name: name.to_owned(),
            context: OnceLock::new(),
            providers: OnceLock::new(),
            threads: Arc::default(),
            remains: Mutex::default(),
            reclaimer: reclaimer.clone(),
        })
    }

    pub(crate) fn id(&self) -> BundleId {
        self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Equal, by address, for versions that reloads made of one another.
    pub(crate) fn life(&self) -> &Arc<()> {
        &self.life
    }

    pub(crate) fn word(&self) -> &Revision {
        &self.word
    }

    /// The host's table for this version's code. Set before any of it runs.
    pub(crate) fn context(&self) -> &Arc<HostContext> {
        self.context.get().expect("a version's table is set when the version is made")
    }

    pub(crate) fn set_context(&self, context: Arc<HostContext>) {
        if self.context.set(context).is_err() {
            unreachable!("a version's table is set once");
        }
    }

    /// Keeps `module` until the version is reclaimed.
    pub(crate) fn keep_module(&self, module: Box<dyn Module>) {
        self.remains.lock().unwrap_or_else(PoisonError::into_inner).modules.push(module);
    }

    /// Ends `instance` when the version is reclaimed, before the modules go.
    pub(crate) fn keep_instance(&self, instance: SharedInstance) {
        self.remains.lock().unwrap_or_else(PoisonError::into_inner).instances.push(instance);
    }

    /// The threads that its code runs on by way of the host.
    pub(crate) fn threads(&self) -> &Arc<Threads> {
        &self.threads
    }

    pub(crate) fn reclaimer(&self) -> &Reclaimer {
        &self.reclaimer
    }

    /// What its modules occupy in memory, as far as they can tell.
    pub(crate) fn memory(&self) -> u64 {
        let remains = self.remains.lock().unwrap_or_else(PoisonError::into_inner);
        remains.modules.iter().filter_map(|module| module.memory()).sum()
    }

    /// Whether the version serves.
    pub(crate) fn is_current(&self) -> bool {
        self.word.is_current()
    }

    /// Calls `then` when the version's code has been taken apart, with what keeps it in memory all the same.
    pub(crate) fn when_gone(&self, then: impl FnOnce(Option<&str>) + Send + Sync + 'static) {
        self.remains.lock().unwrap_or_else(PoisonError::into_inner).when_gone = Some(Box::new(then));
    }

    /// Sends every proxy to look for the next version, after that was published.
    pub(crate) fn retire_reloaded(&self) {
        self.word.set_reloaded();
        self.threads.retire();
    }

    /// Makes every proxy fail, likewise after the bundle is gone from the store.
    pub(crate) fn retire_unloaded(&self) {
        self.word.set_unloaded();
        self.threads.retire();
    }

    /// Remembers the version's plugins. They hold the version, so it must not hold them.
    pub(crate) fn set_providers(&self, providers: &[Arc<Provider>]) {
        let weak = providers.iter().map(Arc::downgrade).collect();
        if self.providers.set(weak).is_err() {
            unreachable!("a version is started once");
        }
    }

    /// The version's plugins that are still there.
    pub(crate) fn providers(&self) -> Vec<Arc<Provider>> {
        self.providers.get().into_iter().flatten().filter_map(Weak::upgrade).collect()
    }
}

impl Drop for BundleVersion {
    fn drop(&mut self) {
        let mut remains = std::mem::take(self.remains.get_mut().unwrap_or_else(PoisonError::into_inner));
        remains.context = self.context.take();
        self.reclaimer.enqueue(remains);
    }
}
