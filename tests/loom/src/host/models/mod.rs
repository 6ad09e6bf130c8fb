//! The models: each checks one promise of the concurrent parts.

pub mod engine;
pub mod lease;
pub mod lineage;
pub mod owners;
pub mod reclaim;
pub mod revision;
pub mod store;
pub mod tokens;

use std::sync::Arc as Untracked;

use loom::sync::{Condvar, Mutex, MutexGuard};
use loom::thread::JoinHandle;

use crate::host::version::version::BundleVersion;

/// An event that happens once, and that threads wait for. If it never happens, loom finds a deadlock.
#[derive(Clone, Default)]
struct Event(Untracked<(Mutex<bool>, Condvar)>);

impl Event {
    /// Makes the event of a version being reclaimed.
    fn reclaimed(version: &BundleVersion) -> Self {
        let this = Self::default();
        let event = this.clone();
        version.when_gone(move |_| event.happen());
        this
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.0.lock().expect("a panic ends the model")
    }

    fn happen(&self) {
        let mut happened = self.lock();
        assert!(!*happened, "the event has happened twice");
        *happened = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        while crossbeam_epoch::push() && !*self.lock() {
            loom::thread::yield_now();
        }
        let mut happened = self.lock();
        while !*happened {
            happened = self.0.1.wait(happened).expect("a panic ends the model");
        }
    }
}

/// Starts a thread of a model.
fn spawn<R: 'static>(body: impl FnOnce() -> R + 'static) -> JoinHandle<R> {
    loom::thread::spawn(body)
}

fn join<R>(thread: JoinHandle<R>) -> R {
    thread.join().expect("a panic ends the model")
}
