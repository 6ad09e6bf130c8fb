//! The stand-in for polyplug's module `sync`: the same names, of types with which loom can try every order of events.

mod arc;
pub mod atomic;
mod clock;
mod condvar;
mod lazy_lock;
mod mutex;
mod once_lock;

pub use std::sync::PoisonError;

pub use arc::{Arc, Weak};
pub use clock::Instant;
pub use condvar::{Condvar, Waits, end_waits, set_waits};
pub use lazy_lock::LazyLock;
pub use loom::sync::RwLock;
pub use loom::thread;
pub use mutex::{Mutex, MutexGuard};
pub use once_lock::OnceLock;

/// `std::thread_local`, of which each thread of a model has one.
macro_rules! local {
    ($(#[$attribute:meta])* static $name:ident: $ty:ty = const $init:block;) => {
        loom::thread_local! {
            $(#[$attribute])*
            static $name: $ty = $init;
        }
    };
}
pub(crate) use local as thread_local;

/// Begins an execution. All other functions must be called in an execution.
pub(crate) fn reset() {
    atomic::reset();
    clock::reset();
    set_waits(Waits::default());
}
