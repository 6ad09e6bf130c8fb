//! The synchronisation primitives that the concurrent parts take from the standard library.
//!
//! The concurrent parts name the primitives through this module because `tests/loom` compiles the same files against
//! another module, made of the model checker's types. So this module only re-exports, and defines nothing.

pub(crate) mod atomic {
    #[cfg(feature = "host")]
    pub(crate) use std::sync::atomic::{AtomicPtr, AtomicUsize};
    pub(crate) use std::sync::atomic::{AtomicU32, Ordering};
}

#[cfg(feature = "host")]
pub(crate) use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
#[cfg(feature = "host")]
pub(crate) use std::time::Instant;
#[cfg(feature = "host")]
pub(crate) use std::{thread, thread_local};
