//! Crossbeam's own collector.

pub use real::{Atomic, Guard, Owned, Pointer, Shared, is_pinned, pin, unprotected};

use crate::{Collects, memory};

/// Begins an execution of a model.
pub fn reset() {
    memory::reset();
}

/// Has no effect: crossbeam decides.
pub fn set_collects(_: Collects) {}

/// Collects the remaining garbage, when no other thread has a guard. Returns whether to try again, because a thread may
/// have had one.
pub fn push() -> bool {
    // The other threads have ended, so their steps need not be tried.
    loom::stop_exploring();
    // Two epochs have to pass, and each push advances one at most. `unload.rs` does the same.
    for _ in 0..8 {
        pin().flush();
    }
    loom::explore();
    true
}
