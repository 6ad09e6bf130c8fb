//! The bundles of a runtime and what state each is in.
//!
//! One operation at a time changes a bundle: loading, reloading or unloading it. Others wait their turn, without any
//! lock held, for all of these run foreign code.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::thread::ThreadId;

use polyplug_abi::{BundleId, DependencyInfo};

use super::dependents::Left;
use super::loader::BundleLoader;
use super::runtime::Runtime;
use super::time_limit::acting_thread;
use crate::host::bundle::fingerprint::Fingerprint;
use crate::host::bundle::shared_dirs::InPlace;
use crate::host::error::RuntimeError;
use crate::host::version::version::BundleVersion;

/// The bundles of a runtime.
#[derive(Default)]
pub(crate) struct Bundles {
    pub(crate) known: HashMap<BundleId, Bundle>,
    loads: u64,
    /// Threads that wait for a bundle to settle, and for which.
    waiting: HashMap<ThreadId, BundleId>,
}

pub(crate) struct Bundle {
    pub(crate) name: String,
    /// Earlier loads have smaller numbers.
    pub(crate) order: u64,
    state: State,
    /// What the version needs that is about to serve. What the one that serves needs, that one knows.
    pub(crate) needs: Vec<DependencyInfo>,
    /// What the bundle provides after the change that is under way, once that is decided.
    pub(crate) left: Option<Vec<Left>>,
}

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
    /// Absent for plugins that are part of the program.
    pub(crate) loader: Option<Arc<dyn BundleLoader>>,
    pub(crate) origin: Origin,
}

/// Where a version came from.
#[derive(Clone)]
pub(crate) struct Origin {
    /// What the manifest says.
    pub(crate) version: semver::Version,
    /// The bundle's own directory, not the private copy of it.
    pub(crate) directory: Option<PathBuf>,
    /// What the files in it looked like when the private copy was made, if one was.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// What is in the directory only, not in the private copy.
    pub(crate) in_place: InPlace,
}

impl Origin {
    /// Of a version that runs from `directory` itself, or from none.
    pub(crate) fn new(version: semver::Version, directory: Option<PathBuf>) -> Self {
        Self { version, directory, fingerprint: None, in_place: InPlace::default() }
    }
}

impl Runtime {
    /// Takes a name for a bundle that is about to be loaded.
    pub(crate) fn reserve(&self, id: BundleId, name: &str) -> Result<(), RuntimeError> {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        if bundles.known.contains_key(&id) {
            return Err(RuntimeError::AlreadyLoaded { bundle: name.to_owned() });
        }
        bundles.loads += 1;
        let state = State::Loading(acting_thread());
        let bundle = Bundle { name: name.to_owned(), order: bundles.loads, state, needs: Vec::new(), left: None };
        bundles.known.insert(id, bundle);
        Ok(())
    }

    /// Waits until nobody changes the bundle, then keeps others from it until [`settle`](Self::settle).
    pub(crate) fn begin_change(&self, id: BundleId) -> Result<(String, Loaded), RuntimeError> {
        self.take_turn(id, true)
    }

    /// As [`begin_change`](Self::begin_change), but when somebody changes the bundle that is an error.
    #[cfg(feature = "watch")]
    pub(crate) fn try_begin_change(&self, id: BundleId) -> Result<(String, Loaded), RuntimeError> {
        self.take_turn(id, false)
    }

    fn take_turn(&self, id: BundleId, wait: bool) -> Result<(String, Loaded), RuntimeError> {
        let this_thread = acting_thread();
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let in_vain = !wait || bundles.waits_for(id, this_thread);
            let bundle = bundles.known.get_mut(&id).ok_or(RuntimeError::BundleNotLoaded { id })?;
            match &bundle.state {
                State::Loading(_) | State::Changing(..) if in_vain => {
                    return Err(RuntimeError::Busy { bundle: bundle.name.clone() });
                }
                State::Loading(_) | State::Changing(..) => {
                    bundles.waiting.insert(this_thread, id);
                    bundles = self.settled.wait(bundles).unwrap_or_else(PoisonError::into_inner);
                    bundles.waiting.remove(&this_thread);
                }
                State::Loaded(loaded) => {
                    let loaded = loaded.clone();
                    bundle.state = State::Changing(this_thread, loaded.clone());
                    return Ok((bundle.name.clone(), loaded));
                }
            }
        }
    }

    /// Has `next` serve under the bundle's name, while its change goes on until [`settle`](Self::settle).
    pub(crate) fn exchange(&self, id: BundleId, next: Loaded) {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let state = State::Changing(acting_thread(), next);
        let before = bundles.known.get_mut(&id).map(|bundle| std::mem::replace(&mut bundle.state, state));
        drop(bundles);
        drop(before); // a lease, which is given up without the lock
    }

    /// Ends a change: `next` serves from now on, or the bundle is gone.
    pub(crate) fn settle(&self, id: BundleId, next: Option<Loaded>) {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match next {
            Some(next) => bundles.known.get_mut(&id).map(|bundle| {
                bundle.needs.clear();
                bundle.left = None;
                std::mem::replace(&mut bundle.state, State::Loaded(next))
            }),
            None => bundles.known.remove(&id).map(|bundle| bundle.state),
        };
        // Waking nobody would still be a system call.
        let somebody_waits = !bundles.waiting.is_empty();
        drop(bundles);
        drop(before); // a lease, which is given up without the lock
        if somebody_waits {
            self.settled.notify_all();
        }
        #[cfg(feature = "watch")]
        self.bells.ring();
    }

    /// The ids of all loaded bundles, in load order.
    #[must_use]
    pub fn bundle_ids(&self) -> Vec<BundleId> {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let mut loaded: Vec<_> = bundles
            .known
            .iter()
            .filter(|(_, bundle)| bundle.serves())
            .map(|(id, bundle)| (bundle.order, *id))
            .collect();
        loaded.sort_unstable();
        loaded.into_iter().map(|(_, id)| id).collect()
    }

    /// The name of a loaded bundle.
    #[must_use]
    pub fn bundle_name(&self, id: BundleId) -> Option<String> {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let bundle = bundles.known.get(&id)?;
        bundle.serves().then(|| bundle.name.clone())
    }

    /// What serves, in load order.
    pub(crate) fn loaded(&self) -> Vec<Loaded> {
        self.map_loaded(Clone::clone)
    }

    /// What `map` makes of all that serves, in load order. It is called under the lock. Takes no lease.
    pub(crate) fn map_loaded<R>(&self, mut map: impl FnMut(&Loaded) -> R) -> Vec<R> {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let mut loaded: Vec<_> = bundles
            .known
            .values()
            .filter_map(|bundle| match &bundle.state {
                State::Loading(_) => None,
                State::Loaded(loaded) | State::Changing(_, loaded) => Some((bundle.order, map(loaded))),
            })
            .collect();
        loaded.sort_unstable_by_key(|(order, _)| *order);
        loaded.into_iter().map(|(_, loaded)| loaded).collect()
    }
}

impl Bundles {
    /// Whether whoever changes this bundle is `thread`, or waits for it, perhaps by way of others: then `thread` would
    /// wait for ever.
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
    /// The thread that changes it.
    pub(crate) fn changer(&self) -> Option<ThreadId> {
        match &self.state {
            State::Loading(thread) | State::Changing(thread, _) => Some(*thread),
            State::Loaded(_) => None,
        }
    }

    /// What serves under its name.
    pub(crate) fn version(&self) -> Option<&Arc<BundleVersion>> {
        match &self.state {
            State::Loading(_) => None,
            State::Loaded(loaded) | State::Changing(_, loaded) => Some(&loaded.version),
        }
    }

    fn serves(&self) -> bool {
        !matches!(self.state, State::Loading(_))
    }
}
