//! What polyplug uses of `crossbeam-epoch`, under that name, for the model checker.
//!
//! The collector itself is not checked here: it has tests of its own under loom. This one has the guarantees that
//! crossbeam documents and no others that polyplug could rely on by accident:
//!
//! - What is deferred runs when every guard that existed at that moment is gone: **at once**, on the thread that dropped
//!   the last of them, or [later](Collects), on whichever thread comes by next. Crossbeam is never earlier.
//! - Whatever a thread did under a guard, and whatever was done before something was deferred, happens before that runs.
//! - A guard that is made after something was deferred sees what was done before it was. Nothing else is made visible
//!   by a guard: neither its end nor its beginning is seen by other guards.
//!
//! Crossbeam's garbage may stay for ever if nobody pushes the collector on. What sees to that (the pushes in `unload.rs`,
//! the thread's in `reclaim.rs`) is left to the tests of the whole.
//!
//! With the feature `crossbeam` it is crossbeam's own after all, which can be had under loom with `--cfg crossbeam_loom`.
//! It takes so many steps that far fewer of their orders can be tried.

#[cfg(not(feature = "crossbeam"))]
mod atomic;
#[cfg(not(feature = "crossbeam"))]
mod guard;
pub mod memory;
#[cfg(feature = "crossbeam")]
mod theirs;

#[cfg(not(feature = "crossbeam"))]
pub use atomic::{Atomic, Owned, Pointer, Shared};
#[cfg(not(feature = "crossbeam"))]
pub use guard::{Guard, pin, push, reset, set_collects, unprotected};
#[cfg(feature = "crossbeam")]
pub use theirs::{Atomic, Guard, Owned, Pointer, Shared, pin, push, reset, set_collects, unprotected};

/// When that runs which waits for no guard any more. Crossbeam does it at some moment from the first to long after the
/// second; a model chooses one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Collects {
    /// When the last guard goes, where it goes.
    #[default]
    AtOnce,
    /// When the next thread makes a guard or flushes one, with whatever that thread has in hand.
    Later,
}
