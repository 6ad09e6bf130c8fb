//! The bundles of a runtime and what state each is in.
//!
//! One operation at a time changes a bundle: loading, reloading or unloading it. Others wait their turn, without any
//! lock held, for all of these run foreign code.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::thread::ThreadId;

use polyplug_abi::BundleId;

use super::Runtime;
use crate::host::error::RuntimeError;
use crate::host::loader::BundleLoader;
use crate::host::version::BundleVersion;

/// The bundles of a runtime.
#[derive(Default)]
pub(super) struct Bundles {
    known: HashMap<BundleId, Bundle>,
    loads: u64,
    /// Threads that wait for a bundle to settle. Waking nobody would still be a system call.
    waiting: usize,
}

struct Bundle {
    name: String,
    /// Earlier loads have smaller numbers.
    order: u64,
    state: State,
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
pub(super) struct Loaded {
    pub(super) version: Arc<BundleVersion>,
    /// Absent for plugins that are part of the program.
    pub(super) loader: Option<Arc<dyn BundleLoader>>,
}

impl Runtime {
    /// Takes a name for a bundle that is about to be loaded.
    pub(super) fn reserve(&self, id: BundleId, name: &str) -> Result<(), RuntimeError> {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        if bundles.known.contains_key(&id) {
            return Err(RuntimeError::AlreadyLoaded { bundle: name.to_owned() });
        }
        bundles.loads += 1;
        let state = State::Loading(std::thread::current().id());
        let bundle = Bundle { name: name.to_owned(), order: bundles.loads, state };
        bundles.known.insert(id, bundle);
        Ok(())
    }

    /// Waits until nobody changes the bundle, then keeps others from it until [`settle`](Self::settle).
    pub(super) fn begin_change(&self, id: BundleId) -> Result<(String, Loaded), RuntimeError> {
        let this_thread = std::thread::current().id();
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let bundle = bundles.known.get_mut(&id).ok_or(RuntimeError::BundleNotLoaded { id })?;
            match &bundle.state {
                State::Loading(thread) | State::Changing(thread, _) if *thread == this_thread => {
                    return Err(RuntimeError::Busy { bundle: bundle.name.clone() });
                }
                State::Loading(_) | State::Changing(..) => {
                    bundles.waiting += 1;
                    bundles = self.settled.wait(bundles).unwrap_or_else(PoisonError::into_inner);
                    bundles.waiting -= 1;
                }
                State::Loaded(loaded) => {
                    let loaded = loaded.clone();
                    bundle.state = State::Changing(this_thread, loaded.clone());
                    return Ok((bundle.name.clone(), loaded));
                }
            }
        }
    }

    /// Ends a change: `next` serves from now on, or the bundle is gone.
    pub(super) fn settle(&self, id: BundleId, next: Option<Loaded>) {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match next {
            Some(next) => {
                bundles.known.get_mut(&id).map(|bundle| std::mem::replace(&mut bundle.state, State::Loaded(next)))
            }
            None => bundles.known.remove(&id).map(|bundle| bundle.state),
        };
        let somebody_waits = bundles.waiting > 0;
        drop(bundles);
        drop(before); // a lease, which is given up without the lock
        if somebody_waits {
            self.settled.notify_all();
        }
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
    pub(super) fn loaded(&self) -> Vec<Loaded> {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let mut loaded: Vec<_> = bundles
            .known
            .values()
            .filter_map(|bundle| match &bundle.state {
                State::Loading(_) => None,
                State::Loaded(loaded) | State::Changing(_, loaded) => Some((bundle.order, loaded.clone())),
            })
            .collect();
        loaded.sort_unstable_by_key(|(order, _)| *order);
        loaded.into_iter().map(|(_, loaded)| loaded).collect()
    }
}

impl Bundle {
    fn serves(&self) -> bool {
        !matches!(self.state, State::Loading(_))
    }
}
