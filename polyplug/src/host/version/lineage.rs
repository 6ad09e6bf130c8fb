//! The lineage of a loaded bundle: what serves now, across the bundle's versions.

use crossbeam_epoch::{Atomic, Guard, Owned, Pointer, Shared};

use crate::sync::atomic::Ordering;

/// The list of what serves now of one loaded bundle, kept from the bundle's load over all reloads to its unload.
///
/// Generic in the serving type, so that versions do not depend on that type.
///
/// Readers take no lock: a list is published whole, and a replaced list is dropped when no guard from before its
/// replacement exists. One thread at a time replaces the list: the thread that may change the bundle.
///
/// A serving value may hold its lineage, which is a cycle until the bundle is unloaded: [`clear`](Self::clear) ends the
/// cycle.
pub(crate) struct Lineage<T> {
    /// Null before the first version serves, and after the unload.
    serving: Atomic<Vec<T>>,
}

impl<T: Send + 'static> Lineage<T> {
    /// Returns what serves now: nothing before the first version is published, and nothing after the unload.
    #[inline]
    pub(crate) fn serving<'g>(&self, guard: &'g Guard) -> &'g [T] {
        // SAFETY: a list is dropped only when no guard from before its replacement exists, and `guard` is from before
        // any replacement that this load does not see. The release of the swap in `replace` pairs with this acquire
        // load, so the contents of the list are complete.
        let list = unsafe { self.serving.load(Ordering::Acquire, guard).as_ref() };
        list.map_or(&[], Vec::as_slice)
    }

    /// Publishes what serves from now on.
    pub(crate) fn set(&self, next: Vec<T>) {
        self.replace(Owned::new(next));
    }

    /// Empties the list: the bundle is unloaded.
    pub(crate) fn clear(&self) {
        self.replace(Shared::null());
    }

    fn replace(&self, next: impl Pointer<Vec<T>>) {
        let guard = crossbeam_epoch::pin();
        let old = self.serving.swap(next, Ordering::AcqRel, &guard);
        if !old.as_raw().is_null() {
            // SAFETY: the swap above made the list unreachable, and no other swap can have returned it.
            unsafe { guard.defer_destroy(old) };
            // Lists hold leases, so the collector gets this one now, not when the thread's bag is full.
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
        // SAFETY: the lineage is being dropped, so no other thread loads or replaces the list.
        let list = unsafe { self.serving.load(Ordering::Acquire, crossbeam_epoch::unprotected()) };
        if !list.as_raw().is_null() {
            // SAFETY: the list came from `Owned::new`, and is dropped once, here.
            drop(unsafe { list.into_owned() });
        }
    }
}
