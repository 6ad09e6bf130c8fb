//! Memory in which use after the end is found, and use that is not ordered after the allocation.
//!
//! A value that has ended stays allocated until the next execution: a mutant that uses it is caught, and does no harm.

use std::alloc::{Layout, dealloc};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use loom::cell::UnsafeCell;

thread_local! {
    // All threads of a model run on one thread of the system.
    static MEMORY: RefCell<Memory> = RefCell::default();
}

#[derive(Default)]
struct Memory {
    blocks: HashMap<usize, *const Block>,
    /// The memory that is freed before the next execution.
    ended: Vec<(*mut u8, Layout)>,
    kept: Vec<Box<dyn Any>>,
}

/// The record of one value that several threads may reach. It lies next to the value, and is found by its address.
pub struct Block {
    accesses: UnsafeCell<()>,
    ended: Cell<bool>,
    what: &'static str,
}

// SAFETY: all threads of a model run on one thread of the system, and loom checks the order of the accesses.
unsafe impl Send for Block {}
// SAFETY: all threads of a model run on one thread of the system, so accesses are never at the same time.
unsafe impl Sync for Block {}

impl Block {
    /// Makes a block for a value of type `T`. Each use has to be ordered after this call.
    #[must_use]
    pub fn new<T>() -> Self {
        Self { accesses: UnsafeCell::new(()), ended: Cell::new(false), what: std::any::type_name::<T>() }
    }

    /// Records a read of the value.
    ///
    /// # Panics
    ///
    /// If the value has ended, or loom finds that the read is not ordered after the allocation.
    pub fn touch(&self) {
        assert!(!self.ended.get(), "use after its end: {}", self.what);
        self.accesses.with(|_| ());
    }

    /// Records the end of the value.
    ///
    /// # Panics
    ///
    /// If it ended before, or loom finds that an earlier use is not ordered before the end.
    pub fn end(&self) {
        assert!(!self.ended.replace(true), "ended twice: {}", self.what);
        self.accesses.with_mut(|_| ());
    }

    /// Returns whether the value has ended. Not for checked code: loom does not see the access.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.get()
    }
}

/// Registers the value at `address` for [`touch`]. The block has to stay until [`reset`].
pub fn register(address: usize, block: *const Block) {
    MEMORY.with_borrow_mut(|memory| memory.blocks.insert(address, block));
}

/// Records a read of the value at `address` by way of a raw pointer. Does nothing for an unregistered address.
pub fn touch(address: usize) {
    let block = MEMORY.with_borrow(|memory| memory.blocks.get(&address).copied());
    if let Some(block) = block {
        // SAFETY: blocks stay until `reset` (the promise made to `register`).
        unsafe { &*block }.touch();
    }
}

/// Frees memory before the next execution.
///
/// # Safety
///
/// The memory must have been allocated with this layout, and must not be freed otherwise.
pub unsafe fn give_back(memory: *mut u8, layout: Layout) {
    MEMORY.with_borrow_mut(|known| known.ended.push((memory, layout)));
}

/// Keeps a value until the next execution.
pub fn keep<T: 'static>(value: T) -> *const T {
    let value = Box::new(value);
    let address = &raw const *value;
    MEMORY.with_borrow_mut(|memory| memory.kept.push(value));
    address
}

/// Begins an execution.
pub(crate) fn reset() {
    let Memory { ended, .. } = MEMORY.take();
    for (memory, layout) in ended {
        // SAFETY: the layout is that of the allocation (promised to `give_back`); the execution that used the memory is
        // over.
        unsafe { dealloc(memory, layout) };
    }
}
