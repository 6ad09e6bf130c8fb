//! Crossbeam's own collector.

pub use real::{Atomic, Guard, Owned, Pointer, Shared, pin, unprotected};

use crate::{Collects, memory};

/// Begins an execution of a model.
pub fn reset() {
    memory::reset();
}

/// Has no effect: crossbeam decides.
pub fn set_collects(_: Collects) {}

/// Collects what is left, when no other thread has a guard. Whether to try again, for perhaps one had.
pub fn push() -> bool {
    // The others are done, so there is nothing to be tried.
    loom::stop_exploring();
    // Two epochs have to pass, and each push advances one at most. As in `unload.rs`.
    for _ in 0..8 {
        pin().flush();
    }
    loom::explore();
    true
}
