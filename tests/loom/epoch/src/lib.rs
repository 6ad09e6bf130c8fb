//! The part of `crossbeam-epoch` that polyplug uses, under that name, for the model checker.
//!
//! Crossbeam's collector is not checked here: it has tests of its own under loom. This collector has the guarantees
//! that crossbeam documents, and no others that polyplug could rely on by accident:
//!
//! - A deferred function runs when every guard that existed at its deferral is dropped: **at once**, on the thread that
//!   dropped the last of them, or [later](Collects), on the next thread that uses a guard. Crossbeam is never earlier.
//! - All that a thread did under such a guard, and all that was done before the deferral, happens before the function
//!   runs.
//! - A guard that is made after a deferral sees all that was done before the deferral. A guard makes nothing else
//!   visible: other guards see neither its end nor its beginning.
//!
//! Crossbeam's garbage may stay for ever if no thread advances the collector. Whether polyplug advances it often enough
//! (in `unload.rs`, and on the thread of `reclaim.rs`) is left to ordinary tests.
//!
//! With the feature `crossbeam` the crate hands on crossbeam's own collector, which runs under loom with
//! `--cfg crossbeam_loom`. It takes so many steps that far fewer of their orders can be tried.

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
pub use guard::{Guard, is_pinned, pin, push, reset, set_collects, unprotected};
#[cfg(feature = "crossbeam")]
pub use theirs::{Atomic, Guard, Owned, Pointer, Shared, is_pinned, pin, push, reset, set_collects, unprotected};

/// The moment at which a deferred function runs that waits for no guard any more. Crossbeam runs it at some moment from
/// the first to long after the second; a model chooses one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Collects {
    /// When the last guard is dropped, on the thread that drops it.
    #[default]
    AtOnce,
    /// When the next thread makes a guard or flushes one, with the locks that this thread holds.
    Later,
}
