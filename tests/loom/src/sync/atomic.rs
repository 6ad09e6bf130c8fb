//! Atomics: loom's, and one that can be made in a constant as well.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::OnceLock;

pub use loom::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// How many [`AtomicU32`] an execution may use.
const ENOUGH: usize = 6;

thread_local! {
    // All threads of a model run on one thread of the system.
    static MADE: RefCell<Vec<Rc<loom::sync::atomic::AtomicU32>>> = const { RefCell::new(Vec::new()) };
    static USED: Cell<usize> = const { Cell::new(0) };
}

/// Begins an execution: makes what will be used, before there are threads.
pub(super) fn reset() {
    MADE.set((0..ENOUGH).map(|_| Rc::new(loom::sync::atomic::AtomicU32::new(0))).collect());
    USED.set(0);
}

/// `std::sync::atomic::AtomicU32`, for ever 0 at first.
///
/// Loom's cannot be made in a constant function. This is one of those that were made when the execution began, so loom
/// does not notice if its making is not ordered before its use.
pub struct AtomicU32(OnceLock<usize>);

impl AtomicU32 {
    /// Holds `value`, which is 0.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        assert!(value == 0, "what is made in advance holds 0");
        Self(OnceLock::new())
    }

    fn inner(&self) -> Rc<loom::sync::atomic::AtomicU32> {
        let number = *self.0.get_or_init(|| USED.replace(USED.get() + 1));
        MADE.with_borrow(|made| Rc::clone(made.get(number).expect("enough for every model")))
    }

    /// Loads the value.
    #[must_use]
    pub fn load(&self, order: Ordering) -> u32 {
        self.inner().load(order)
    }

    /// Stores a value.
    pub fn store(&self, value: u32, order: Ordering) {
        self.inner().store(value, order);
    }
}
