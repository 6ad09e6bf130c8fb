//! What connects the versions of one loaded bundle: who serves now.

use crossbeam_epoch::{Atomic, Guard, Owned, Pointer, Shared};

use crate::sync::atomic::Ordering;

/// What serves of one loaded bundle, from its load over all reloads to its unload.
///
/// Generic in what serves, so that versions do not depend on it.
///
/// Readers take no lock: a list is published whole, and one that was replaced is dropped when no guard from before its
/// replacement is left. A list is replaced by one thread at a time, the one whose turn it is to change the bundle.
///
/// What serves may hold its lineage, which is a cycle until the bundle is unloaded: [`clear`](Self::clear) ends it.
pub(crate) struct Lineage<T> {
    /// Null before the first version serves, and after the unload.
    serving: Atomic<Vec<T>>,
}

impl<T: Send + 'static> Lineage<T> {
    /// Returns what serves now: nothing before the first version is published, and after the unload.
    #[inline]
    pub(crate) fn serving<'g>(&self, guard: &'g Guard) -> &'g [T] {
        // SAFETY: a list is dropped only when no guard from before its replacement is left, and `guard` is from before any
        // replacement that this load does not see. The acquire pairs with the release of `replace`: who sees the list sees
        // what is in it.
        let list = unsafe { self.serving.load(Ordering::Acquire, guard).as_ref() };
        list.map_or(&[], Vec::as_slice)
    }

    /// Publishes what serves from now on.
    pub(crate) fn set(&self, next: Vec<T>) {
        self.replace(Owned::new(next));
    }

    /// Forgets what serves: the bundle is unloaded.
    pub(crate) fn clear(&self) {
        self.replace(Shared::null());
    }

    fn replace(&self, next: impl Pointer<Vec<T>>) {
        let guard = crossbeam_epoch::pin();
        let old = self.serving.swap(next, Ordering::AcqRel, &guard);
        if !old.as_raw().is_null() {
            // SAFETY: the list is no longer reachable, and only the swap above can have returned it.
            unsafe { guard.defer_destroy(old) };
            // Lists hold leases: let the collector see this one soon rather than when the thread's bag is full.
            guard.flush();
        }
    }
}

impl<T> Default for Lineage<T> {
    fn default() -> Self {
        Self { serving: Atomic::null() }
    }
}

impl<T> Drop for Lineage<T> {
    fn drop(&mut self) {
        // SAFETY: the lineage is going, so nobody else can load or replace the list.
        let list = unsafe { self.serving.load(Ordering::Acquire, crossbeam_epoch::unprotected()) };
        if !list.as_raw().is_null() {
            // SAFETY: the list came from `Owned::new`, and is dropped once, here.
            drop(unsafe { list.into_owned() });
        }
    }
}
