//! The bundles of a runtime and what state each is in.
//!
//! One operation at a time changes a bundle: loading, reloading or unloading it. Others wait their turn, without any
//! lock held, for all of these run foreign code.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use polyplug_abi::{BundleId, DependencyInfo, GuestContractId};

use super::observers::Observers;
use super::time_limit::logical_thread;
use crate::host::bundle::fingerprint::Fingerprint;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::error::runtime::RuntimeError;
use crate::host::store::provider::Provider;
use crate::host::version::lineage::Lineage;
use crate::host::version::version::BundleVersion;

/// The bundles of a runtime.
#[derive(Default)]
pub(crate) struct Bundles {
    table: Mutex<BundleTable>,
    /// Notified whenever a change of a bundle has finished.
    finished: Condvar,
    /// Notified after every change.
    pub(crate) observers: Observers,
}

/// The bundles by their ids, under the lock of [`Bundles`].
#[derive(Default)]
pub(crate) struct BundleTable {
    pub(crate) known: HashMap<BundleId, Bundle>,
    loads: u64,
    /// Threads that wait for a change of a bundle to finish, and for which bundle.
    waiting: HashMap<ThreadId, BundleId>,
}

/// A bundle whose name is taken.
pub(crate) struct Bundle {
    pub(crate) name: String,
    /// Earlier loads have smaller numbers.
    pub(crate) order: u64,
    state: State,
    /// What the version needs that is about to serve. What the one that serves needs, its scope knows.
    pub(crate) needs: Vec<DependencyInfo>,
    /// What the bundle provides after the change that is under way, once that is decided.
    pub(crate) remaining: Option<Vec<RemainingContract>>,
}

/// A contract that remains of those a bundle provides, and its minor version.
pub(crate) type RemainingContract = (GuestContractId, u32);

enum State {
    /// The name is taken; nothing serves yet.
    Loading(ThreadId),
    /// It serves, and nothing changes it.
    Loaded(Loaded),
    /// It serves, while this thread is about to replace or remove it.
    Changing(ThreadId, Loaded),
}

/// What serves under a bundle's name.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) version: Arc<BundleVersion>,
    /// The version's plugins.
    pub(crate) providers: Vec<Arc<Provider>>,
    /// What all versions from the load to the unload have in common.
    pub(crate) lineage: Arc<Lineage<Arc<Provider>>>,
    /// The name of its loader; absent for plugins that are part of the program.
    pub(crate) loader: Option<&'static str>,
    pub(crate) origin: Origin,
}

/// Where a version came from.
#[derive(Clone)]
pub(crate) struct Origin {
    /// The version in the manifest.
    pub(crate) version: semver::Version,
    /// The bundle's own directory, not the private copy of it; absent for a bundle in memory.
    pub(crate) directory: Option<PathBuf>,
    /// What the files in the directory looked like when the private copy was made, if one was.
    #[cfg_attr(not(feature = "watch"), allow(dead_code))]
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Folders that are in the directory only, not in the private copy.
    #[cfg_attr(not(feature = "watch"), allow(dead_code))]
    pub(crate) shared_dirs: SharedDirs,
}

impl Bundles {
    /// Locks the table. No foreign code may run under the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, BundleTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a name for a bundle that is about to be loaded.
    pub(crate) fn reserve(&self, id: BundleId, name: &str) -> Result<(), RuntimeError> {
        let mut table = self.lock();
        if table.known.contains_key(&id) {
            return Err(RuntimeError::AlreadyLoaded { bundle: name.to_owned() });
        }
        table.loads += 1;
        let state = State::Loading(logical_thread());
        let bundle = Bundle { name: name.to_owned(), order: table.loads, state, needs: Vec::new(), remaining: None };
        table.known.insert(id, bundle);
        Ok(())
    }

    /// Waits until nobody changes the bundle, then keeps others from it until [`finish_change`](Self::finish_change).
    ///
    /// # Errors
    ///
    /// [`RuntimeError::BundleNotLoaded`]; [`RuntimeError::Busy`] if this thread would wait for itself.
    pub(crate) fn begin_change(&self, id: BundleId) -> Result<(String, Loaded), RuntimeError> {
        self.acquire(id, true)
    }

    /// As [`begin_change`](Self::begin_change), but when somebody changes the bundle that is an error.
    #[cfg(feature = "watch")]
    pub(crate) fn try_begin_change(&self, id: BundleId) -> Result<(String, Loaded), RuntimeError> {
        self.acquire(id, false)
    }

    fn acquire(&self, id: BundleId, wait: bool) -> Result<(String, Loaded), RuntimeError> {
        let this_thread = logical_thread();
        let mut table = self.lock();
        loop {
            let in_vain = !wait || table.waits_for(id, this_thread);
            let bundle = table.known.get_mut(&id).ok_or(RuntimeError::BundleNotLoaded { id })?;
            match &bundle.state {
                State::Loading(_) | State::Changing(..) if in_vain => {
                    return Err(RuntimeError::Busy { bundle: bundle.name.clone() });
                }
                State::Loading(_) | State::Changing(..) => {
                    table.waiting.insert(this_thread, id);
                    table = self.finished.wait(table).unwrap_or_else(PoisonError::into_inner);
                    table.waiting.remove(&this_thread);
                }
                State::Loaded(loaded) => {
                    let loaded = loaded.clone();
                    bundle.state = State::Changing(this_thread, loaded.clone());
                    return Ok((bundle.name.clone(), loaded));
                }
            }
        }
    }

    /// Has `next` serve under the bundle's name, while its change goes on until [`finish_change`](Self::finish_change).
    pub(crate) fn set_current(&self, id: BundleId, next: Loaded) {
        let mut table = self.lock();
        let state = State::Changing(logical_thread(), next);
        let before = table.known.get_mut(&id).map(|bundle| std::mem::replace(&mut bundle.state, state));
        drop(table);
        drop(before); // a lease, which is given up without the lock
    }

    /// Ends a change: `next` serves from now on, or the bundle is gone.
    pub(crate) fn finish_change(&self, id: BundleId, next: Option<Loaded>) {
        let mut table = self.lock();
        let before = match next {
            Some(next) => table.known.get_mut(&id).map(|bundle| {
                bundle.needs.clear();
                bundle.remaining = None;
                std::mem::replace(&mut bundle.state, State::Loaded(next))
            }),
            None => table.known.remove(&id).map(|bundle| bundle.state),
        };
        // Waking nobody would still be a system call.
        let somebody_waits = !table.waiting.is_empty();
        drop(table);
        drop(before); // a lease, which is given up without the lock
        if somebody_waits {
            self.finished.notify_all();
        }
        self.observers.notify();
    }

    /// Returns the ids of all loaded bundles, in load order.
    pub(crate) fn ids(&self) -> Vec<BundleId> {
        self.map_loaded(|loaded| loaded.version.id())
    }

    /// Returns the name of a loaded bundle.
    pub(crate) fn name(&self, id: BundleId) -> Option<String> {
        let table = self.lock();
        let bundle = table.known.get(&id)?;
        bundle.loaded().is_some().then(|| bundle.name.clone())
    }

    /// Returns what serves, in load order.
    pub(crate) fn loaded(&self) -> Vec<Loaded> {
        self.map_loaded(Clone::clone)
    }

    /// Returns what `map` makes of all that serves, in load order. `map` is called under the lock. Takes no lease.
    pub(crate) fn map_loaded<R>(&self, mut map: impl FnMut(&Loaded) -> R) -> Vec<R> {
        let table = self.lock();
        let loaded = table.known.values().filter_map(|bundle| Some((bundle.order, map(bundle.loaded()?))));
        let mut loaded: Vec<_> = loaded.collect();
        drop(table);
        loaded.sort_unstable_by_key(|(order, _)| *order);
        loaded.into_iter().map(|(_, loaded)| loaded).collect()
    }
}

impl BundleTable {
    /// Returns whether the thread that changes this bundle is `thread`, or waits for it, perhaps by way of others: then
    /// `thread` would wait for ever.
    fn waits_for(&self, mut id: BundleId, thread: ThreadId) -> bool {
        for _ in 0..=self.waiting.len() {
            let Some(changer) = self.known.get(&id).and_then(Bundle::changer) else { return false };
            if changer == thread {
                return true;
            }
            let Some(next) = self.waiting.get(&changer) else { return false };
            id = *next;
        }
        false
    }
}

impl Bundle {
    /// Returns the thread that changes it.
    pub(crate) fn changer(&self) -> Option<ThreadId> {
        match &self.state {
            State::Loading(thread) | State::Changing(thread, _) => Some(*thread),
            State::Loaded(_) => None,
        }
    }

    /// Returns what serves under its name.
    pub(crate) fn loaded(&self) -> Option<&Loaded> {
        match &self.state {
            State::Loading(_) => None,
            State::Loaded(loaded) | State::Changing(_, loaded) => Some(loaded),
        }
    }
}
