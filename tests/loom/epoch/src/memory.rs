//! Memory whose use after its end is found, and so is use that nothing orders after its making.
//!
//! What has ended stays allocated until the next execution: a mutant that uses it is caught, and harms nobody.

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
    /// What is given back before the next execution.
    ended: Vec<(*mut u8, Layout)>,
    kept: Vec<Box<dyn Any>>,
}

/// One value that several threads may reach. Lives next to it, and is found by its address.
pub struct Block {
    accesses: UnsafeCell<()>,
    ended: Cell<bool>,
    what: &'static str,
}

// SAFETY: all threads of a model run on one thread of the system, and loom checks the order of the accesses.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Block {
    /// A block for a value of type `T`. Whoever uses it has to be ordered after this.
    #[must_use]
    pub fn new<T>() -> Self {
        Self { accesses: UnsafeCell::new(()), ended: Cell::new(false), what: std::any::type_name::<T>() }
    }

    /// The value is read.
    ///
    /// # Panics
    ///
    /// If it has ended, or loom finds that nothing orders the reading after the making.
    pub fn touch(&self) {
        assert!(!self.ended.get(), "use after its end: {}", self.what);
        self.accesses.with(|_| ());
    }

    /// The value ends.
    ///
    /// # Panics
    ///
    /// If it ended before, or loom finds that nothing orders an earlier use before this.
    pub fn end(&self) {
        assert!(!self.ended.replace(true), "ended twice: {}", self.what);
        self.accesses.with_mut(|_| ());
    }

    /// Whether the value has ended. Not for what is checked: it is no access.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.get()
    }
}

/// Has the value at `address` found by [`touch`]. The block has to stay until [`reset`].
pub fn register(address: usize, block: *const Block) {
    MEMORY.with_borrow_mut(|memory| memory.blocks.insert(address, block));
}

/// The value at `address` is read by way of a raw pointer. One that was never registered does not count.
pub fn touch(address: usize) {
    let block = MEMORY.with_borrow(|memory| memory.blocks.get(&address).copied());
    if let Some(block) = block {
        // SAFETY: blocks stay until `reset` (the promise made to `register`).
        unsafe { &*block }.touch();
    }
}

/// Gives memory back before the next execution.
///
/// # Safety
///
/// It must have been allocated with this layout, and nobody may drop it.
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
        // SAFETY: the promise made to `give_back`; the execution that used it is over.
        unsafe { dealloc(memory, layout) };
    }
}
