//! The entries of this thread into VMs of pools.
//!
//! A thread that is in a VM of a pool enters the same VM again when it calls the pool. By the count of its entries a
//! thread knows, without a look at the VMs' locks, that it is in none of them.

use std::cell::Cell;

use crate::sync::thread_local;

thread_local! {
    /// The number of entries, of all pools.
    static ENTRIES: Cell<u32> = const { Cell::new(0) };
}

thread_local! {
    /// The number in its pool of the VM that this thread has entered last, of all pools.
    static RECENT: Cell<usize> = const { Cell::new(0) };
}

/// An entry of this thread, until dropped on the same thread.
pub(crate) struct Entry(());

impl Entry {
    #[inline]
    pub(crate) fn begin() -> Self {
        ENTRIES.with(|entries| entries.set(entries.get() + 1));
        Self(())
    }
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        ENTRIES.with(|entries| entries.set(entries.get() - 1));
    }
}

/// Returns whether this thread is in a VM of any pool.
#[inline]
pub(crate) fn any() -> bool {
    ENTRIES.with(|entries| entries.get() > 0)
}

/// Returns the number in its pool of the VM that this thread has entered last. It may be that of a larger pool.
#[inline]
pub(crate) fn recent() -> usize {
    RECENT.with(Cell::get)
}

/// Sets the result of [`recent`] for this thread.
pub(crate) fn set_recent(number: usize) {
    RECENT.with(|recent| recent.set(number));
}
