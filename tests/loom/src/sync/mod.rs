//! What stands in for polyplug's module `sync`: the same names, made so that loom can try every order of events.

mod arc;
pub mod atomic;
mod clock;
mod condvar;
mod mutex;
mod once_lock;

pub use std::sync::PoisonError;

pub use loom::sync::RwLock;
pub use loom::thread;

pub use arc::{Arc, Weak};
pub use clock::Instant;
pub use condvar::{Condvar, Waits, end_waits, set_waits};
pub use mutex::{Mutex, MutexGuard};
pub use once_lock::OnceLock;

/// Begins an execution. Everything else here must happen in one.
pub(crate) fn reset() {
    atomic::reset();
    clock::reset();
    set_waits(Waits::default());
}
