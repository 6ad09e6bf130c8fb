//! What the concurrent parts take from the standard library.
//!
//! They name it by way of this module because `tests/loom` compiles the same files against another one, made of the
//! model checker's types. So here stands what they use, and nothing of ours.

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
