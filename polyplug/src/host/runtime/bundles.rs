//! The bundles of a runtime, with the state of each.
//!
//! One operation at a time changes a bundle: a load, a reload or an unload. Other operations on the bundle wait until
//! it has finished. No lock is held during an operation, as it runs foreign code.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use polyplug_abi::{BundleId, DependencyInfo, GuestContractId};

use super::observers::Observers;
use super::time_limit::logical_thread;
use crate::host::bundle::fingerprint::Fingerprint;
use crate::host::bundle::reference::Named;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::error::runtime::RuntimeError;
use crate::host::store::provider::Provider;
use crate::host::version::lineage::Lineage;
use crate::host::version::version::BundleVersion;
use crate::host::waits::{Target, mark, waits};

/// The bundles of a runtime.
#[derive(Default)]
pub(crate) struct Bundles {
    table: Mutex<BundleTable>,
    /// The signal that a change of a bundle has finished.
    finished: Condvar,
    /// The observers, which are notified after every change.
    pub(crate) observers: Observers,
}

/// The bundles by their ids, under the lock of [`Bundles`].
#[derive(Default)]
pub(crate) struct BundleTable {
    pub(crate) known: HashMap<BundleId, Bundle>,
    /// The number of loads so far.
    loads: u64,
    /// The number of threads that wait until a change has finished.
    waiting: usize,
}

/// A bundle that is loaded or being loaded.
pub(crate) struct Bundle {
    pub(crate) name: String,
    /// The number of the load. Earlier loads have smaller numbers.
    pub(crate) order: u64,
    state: State,
    /// The dependencies of the version that is about to serve. Those of the version that serves are in its scope.
    pub(crate) needs: Vec<DependencyInfo>,
    /// The contracts that the bundle provides after the present change, once that is decided.
    pub(crate) remaining: Option<Vec<RemainingContract>>,
}

/// A contract that a bundle still provides after a change, and its minor version.
pub(crate) type RemainingContract = (GuestContractId, u32);

/// The state of a bundle.
enum State {
    /// A load by this thread, with no version that serves yet.
    Loading(Changer),
    /// A version that serves, and that no thread changes.
    Loaded(Loaded),
    /// A version that serves, and that this thread is about to replace or remove.
    Changing(Changer, Loaded),
}

/// The thread that changes a bundle.
#[derive(Clone, Copy)]
pub(crate) struct Changer {
    /// The thread that the change belongs to.
    pub(crate) on_behalf_of: ThreadId,
    /// The mark of the thread that carries out the change, which may be another one.
    mark: usize,
}

impl Changer {
    fn this_thread() -> Self {
        Self { on_behalf_of: logical_thread(), mark: mark() }
    }
}

/// The version of a bundle that serves.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) version: Arc<BundleVersion>,
    /// The version's plugins.
    pub(crate) providers: Vec<Arc<Provider>>,
    /// The lineage, which all versions from the load to the unload share.
    pub(crate) lineage: Arc<Lineage<Arc<Provider>>>,
    /// The name of the bundle's loader. Absent for plugins that are part of the program.
    pub(crate) loader: Option<&'static str>,
    pub(crate) origin: Origin,
}

/// The origin of a version.
#[derive(Clone)]
pub(crate) struct Origin {
    /// The version in the manifest.
    pub(crate) version: semver::Version,
    /// The bundle's own directory, not its private copy. Absent for a bundle in memory.
    pub(crate) directory: Option<PathBuf>,
    /// The fingerprint of the directory at the time when the private copy was made, if one was made.
    #[cfg_attr(not(feature = "watch"), allow(dead_code))]
    pub(crate) fingerprint: Option<Fingerprint>,
    /// The folders that are in the directory only, not in the private copy.
    #[cfg_attr(not(feature = "watch"), allow(dead_code))]
    pub(crate) shared_dirs: SharedDirs,
}

impl Bundles {
    /// Locks the table. No foreign code may run under the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, BundleTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a bundle that this thread is about to load.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::AlreadyLoaded`].
    pub(crate) fn reserve(&self, id: BundleId, name: &str) -> Result<(), RuntimeError> {
        let mut table = self.lock();
        if table.known.contains_key(&id) {
            return Err(RuntimeError::AlreadyLoaded { bundle: name.to_owned() });
        }
        table.loads += 1;
        let state = State::Loading(Changer::this_thread());
        let bundle = Bundle { name: name.to_owned(), order: table.loads, state, needs: Vec::new(), remaining: None };
        table.known.insert(id, bundle);
        Ok(())
    }

    /// Waits until no thread changes the bundle, then gives this thread the change of the bundle until
    /// [`finish_change`](Self::finish_change). Returns the bundle's name and the version that serves.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::BundleNotLoaded`], or [`RuntimeError::Busy`] if this thread would wait for itself.
    pub(crate) fn begin_change<'a>(&self, bundle: impl Into<Named<'a>>) -> Result<(String, Loaded), RuntimeError> {
        self.acquire(bundle.into(), true)
    }

    /// Does the same as [`begin_change`](Self::begin_change), but fails with [`RuntimeError::Busy`] if a thread changes
    /// the bundle.
    #[cfg(feature = "watch")]
    pub(crate) fn try_begin_change(&self, id: BundleId) -> Result<(String, Loaded), RuntimeError> {
        self.acquire(id.into(), false)
    }

    fn acquire(&self, named: Named<'_>, wait: bool) -> Result<(String, Loaded), RuntimeError> {
        let id = named.id;
        let this_thread = Changer::this_thread();
        let mut table = self.lock();
        loop {
            let Some(bundle) = table.known.get_mut(&id) else {
                drop(table);
                return Err(self.not_loaded(named));
            };
            let changer = match &bundle.state {
                State::Loading(changer) | State::Changing(changer, _) => *changer,
                State::Loaded(loaded) => {
                    let loaded = loaded.clone();
                    bundle.state = State::Changing(this_thread, loaded.clone());
                    return Ok((bundle.name.clone(), loaded));
                }
            };
            let name = bundle.name.clone();
            let mut all = waits();
            let waits_for_this_thread =
                changer.on_behalf_of == this_thread.on_behalf_of || all.way(changer.mark, this_thread.mark).is_some();
            if !wait || waits_for_this_thread {
                return Err(RuntimeError::Busy { bundle: name });
            }
            let target = Target::Change { runtime: self.number(), bundle: id.id(), name, changer: changer.mark };
            all.begin(this_thread.mark, target);
            drop(all);
            table.waiting += 1;
            table = self.finished.wait(table).unwrap_or_else(PoisonError::into_inner);
            table.waiting -= 1;
            waits().end(this_thread.mark);
        }
    }

    /// Returns the error about a bundle that is not loaded.
    #[cold]
    pub(crate) fn not_loaded(&self, bundle: Named<'_>) -> RuntimeError {
        let loaded = self.map_loaded(|loaded| loaded.version.name().to_owned());
        RuntimeError::BundleNotLoaded { id: bundle.id, name: bundle.name.map(str::to_owned), loaded }
    }

    /// Returns a number that no other runtime has, by which the waits for a change of a bundle are known.
    fn number(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Records `next` as the version that serves, while the change continues until
    /// [`finish_change`](Self::finish_change).
    pub(crate) fn set_current(&self, id: BundleId, next: Loaded) {
        let mut table = self.lock();
        let before = table.known.get_mut(&id).map(|bundle| {
            let changer = bundle.changer().unwrap_or_else(Changer::this_thread);
            std::mem::replace(&mut bundle.state, State::Changing(changer, next))
        });
        drop(table);
        drop(before); // a lease, which is dropped without the lock
    }

    /// Ends a change. Records `next` as the version that serves, or removes the bundle if `next` is `None`.
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
        // Notifying would be a system call even if no thread waits.
        let has_waiters = table.waiting > 0;
        if has_waiters {
            // Under the lock, so that no thread waits for a later change of the bundle yet.
            waits().finish_change(self.number(), id.id());
        }
        drop(table);
        drop(before); // a lease, which is dropped without the lock
        if has_waiters {
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

    /// Returns the version of a bundle that serves.
    pub(crate) fn loaded_one(&self, id: BundleId) -> Option<Loaded> {
        self.lock().known.get(&id)?.loaded().cloned()
    }

    /// Returns the versions that serve, in load order.
    pub(crate) fn loaded(&self) -> Vec<Loaded> {
        self.map_loaded(Clone::clone)
    }

    /// Maps the versions that serve, in load order. Calls `map` under the lock. Takes no lease.
    pub(crate) fn map_loaded<R>(&self, mut map: impl FnMut(&Loaded) -> R) -> Vec<R> {
        let table = self.lock();
        let loaded = table.known.values().filter_map(|bundle| Some((bundle.order, map(bundle.loaded()?))));
        let mut loaded: Vec<_> = loaded.collect();
        drop(table);
        loaded.sort_unstable_by_key(|(order, _)| *order);
        loaded.into_iter().map(|(_, loaded)| loaded).collect()
    }
}

impl Bundle {
    /// Returns the thread that changes the bundle, if one does.
    pub(crate) fn changer(&self) -> Option<Changer> {
        match &self.state {
            State::Loading(changer) | State::Changing(changer, _) => Some(*changer),
            State::Loaded(_) => None,
        }
    }

    /// Returns the version that serves, if one does.
    pub(crate) fn loaded(&self) -> Option<&Loaded> {
        match &self.state {
            State::Loading(_) => None,
            State::Loaded(loaded) | State::Changing(_, loaded) => Some(loaded),
        }
    }
}
