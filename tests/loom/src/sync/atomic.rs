//! Atomics: loom's, and one with a constant constructor.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::OnceLock;

pub use loom::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// The number of [`AtomicU32`] that an execution may use.
const ENOUGH: usize = 6;

thread_local! {
    // All threads of a model run on one thread of the system.
    static MADE: RefCell<Vec<Rc<loom::sync::atomic::AtomicU32>>> = const { RefCell::new(Vec::new()) };
    static USED: Cell<usize> = const { Cell::new(0) };
}

/// Begins an execution: makes the atomics that it will use, before there are threads.
pub(super) fn reset() {
    MADE.set((0..ENOUGH).map(|_| Rc::new(loom::sync::atomic::AtomicU32::new(0))).collect());
    USED.set(0);
}

/// `std::sync::atomic::AtomicU32`, with 0 as its first value.
///
/// Loom's cannot be made in a constant function. This one is taken from those that were made when the execution began,
/// so loom does not notice if its construction is not ordered before its use.
pub struct AtomicU32(OnceLock<usize>);

impl AtomicU32 {
    /// Makes an atomic with `value`, which is 0.
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
