//! Threads that a bundle's code runs on by way of its host.
//!
//! Such a thread holds a lease until it has been joined: its frames, and the destructors of its thread-locals, may be
//! the library's. It is told to end by its version being retired.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::reclaim::Reclaimer;
use crate::guest::{catch, describe_panic};

/// The threads of one version.
#[derive(Default)]
pub(crate) struct Threads {
    state: Mutex<State>,
    /// Told when a thread has finished, and when the version retires.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    retired: bool,
    /// The latest number given to a thread.
    latest: u64,
    running: Vec<Running>,
    finished: Vec<Finished>,
    followers: Vec<Weak<dyn Follower>>,
    /// How long that list may grow before those that are gone are swept out.
    sweep_at: usize,
}

/// What is told when a version retires.
pub(crate) trait Follower: Send + Sync {
    /// The version has been replaced or unloaded.
    fn retired(&self);
}

struct Running {
    number: u64,
    name: String,
    handle: JoinHandle<()>,
}

/// A thread at its end, and its lease.
struct Finished {
    handle: JoinHandle<()>,
    _lease: Box<dyn Send>,
}

impl Threads {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `body` on a thread of its own, called `name`.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        lease: impl Send + 'static,
        reclaimer: &Reclaimer,
        name: String,
        body: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<()> {
        let mut state = self.lock();
        state.latest += 1;
        let number = state.latest;
        let (this, reclaimer) = (Arc::clone(self), reclaimer.clone());
        let (named, lease): (_, Box<dyn Send>) = (name.clone(), Box::new(lease));
        // Started under the lock, so that it finds itself listed when it ends.
        let handle = std::thread::Builder::new().name(name.clone()).spawn(move || {
            if let Err(payload) = catch(body) {
                tracing::error!(thread = named, panic = describe_panic(payload), "a bundle's thread panicked");
            }
            this.finish(number, lease, &reclaimer);
        })?;
        state.running.push(Running { number, name, handle });
        Ok(())
    }

    /// The last thing a thread does: it leaves its lease to whoever joins it.
    fn finish(self: Arc<Self>, number: u64, lease: Box<dyn Send>, reclaimer: &Reclaimer) {
        let mut state = self.lock();
        let place = state.running.iter().position(|thread| thread.number == number);
        let place = place.expect("a thread is listed under the lock that it was started under");
        let Running { handle, .. } = state.running.swap_remove(place);
        state.finished.push(Finished { handle, _lease: lease });
        drop(state);
        self.changed.notify_all();
        reclaimer.defer(move || self.join_finished());
    }

    /// Joins the threads that are at their end, and gives up their leases.
    fn join_finished(&self) {
        let finished = std::mem::take(&mut self.lock().finished);
        for Finished { handle, _lease } in finished {
            let _ = handle.join(); // its body's panic was caught
        }
    }

    /// Tells the threads to end.
    pub(crate) fn retire(&self) {
        let mut state = self.lock();
        state.retired = true;
        let followers = std::mem::take(&mut state.followers);
        drop(state);
        self.changed.notify_all();
        for follower in followers.iter().filter_map(Weak::upgrade) {
            follower.retired();
        }
    }

    /// Tells `follower` when the version retires: at once, if it has.
    pub(crate) fn follow(&self, follower: &Arc<impl Follower + 'static>) {
        let mut state = self.lock();
        if state.retired {
            drop(state);
            follower.retired();
            return;
        }
        if state.followers.len() >= state.sweep_at {
            state.followers.retain(|follower| follower.strong_count() > 0);
            state.sweep_at = (state.followers.len() * 2).max(16);
        }
        let follower: Weak<dyn Follower> = Arc::downgrade(follower) as Weak<_>;
        state.followers.push(follower);
    }

    /// Waits until the threads have ended and are joined, at most for `limit`.
    pub(crate) fn wait_until_ended(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        loop {
            self.join_finished();
            let state = self.lock();
            let left = deadline.saturating_duration_since(Instant::now());
            if state.running.is_empty() && state.finished.is_empty() || left.is_zero() {
                return;
            }
            if state.finished.is_empty() {
                drop(self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// Waits until the version retires, at most for `limit`; whether it has.
    pub(crate) fn wait_retired(&self, limit: Duration) -> bool {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, limit, |state| !state.retired);
        waited.unwrap_or_else(PoisonError::into_inner).0.retired
    }

    /// The names of those that run.
    pub(crate) fn names(&self) -> Vec<String> {
        self.lock().running.iter().map(|thread| thread.name.clone()).collect()
    }
}
