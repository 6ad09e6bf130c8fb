//! Threads that a bundle's code runs on by way of its host.
//!
//! Such a thread holds a lease until it has been joined, as its frames and the destructors of its thread-locals may be
//! code of the library. The retirement of its version notifies the thread to end.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::followers::{Follower, Followers};
use super::reclaim::Reclaimer;
use crate::guest::{catch, describe_panic};
use crate::host::abi::log::report;

/// The threads of one version.
#[derive(Default)]
pub(crate) struct Threads {
    state: Mutex<State>,
    /// The condition that is notified when a thread has finished, and when the version retires.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    retired: bool,
    /// The number of the thread that was started last.
    latest: u64,
    running: Vec<Running>,
    finished: Vec<Finished>,
    followers: Followers,
}

struct Running {
    number: u64,
    name: String,
    handle: JoinHandle<()>,
}

/// A thread that has run its body, and its lease.
struct Finished {
    handle: JoinHandle<()>,
    _lease: Box<dyn Send>,
}

impl Threads {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `body` on a new thread called `name`, which holds `lease` until it is joined.
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
        // Started under the lock, so that the thread is listed before it can finish.
        let handle = std::thread::Builder::new().name(name.clone()).spawn(move || {
            if let Err(payload) = catch(body) {
                report!(ERROR, "a bundle's thread `{named}` panicked: {}", describe_panic(payload));
            }
            this.finish(number, lease, &reclaimer);
        })?;
        state.running.push(Running { number, name, handle });
        Ok(())
    }

    /// Moves a thread to the finished ones, as the thread's last step. The joining thread drops the lease.
    fn finish(self: Arc<Self>, number: u64, lease: Box<dyn Send>, reclaimer: &Reclaimer) {
        let mut state = self.lock();
        let index = state.running.iter().position(|thread| thread.number == number);
        let index = index.expect("a thread is listed under the lock that it was started under");
        let Running { handle, .. } = state.running.swap_remove(index);
        state.finished.push(Finished { handle, _lease: lease });
        drop(state);
        self.changed.notify_all();
        reclaimer.defer(move || self.join_finished());
    }

    /// Joins the finished threads, and drops their leases.
    fn join_finished(&self) {
        let finished = std::mem::take(&mut self.lock().finished);
        for Finished { handle, _lease } in finished {
            let _ = handle.join(); // a panic of the body was caught
        }
    }

    /// Notifies the threads and the followers that the version is retired.
    pub(crate) fn retire(&self) {
        let mut state = self.lock();
        state.retired = true;
        let followers = std::mem::take(&mut state.followers);
        drop(state);
        self.changed.notify_all();
        followers.notify();
    }

    /// Notifies `follower` when the version retires, or at once if the version is retired already.
    pub(crate) fn follow(&self, follower: &Arc<impl Follower + 'static>) {
        let mut state = self.lock();
        if state.retired {
            drop(state);
            follower.retired();
            return;
        }
        state.followers.add(follower);
    }

    /// Waits until the threads have ended and are joined, at most for `limit`.
    pub(crate) fn wait_until_ended(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        loop {
            self.join_finished();
            let state = self.lock();
            let remaining = deadline.saturating_duration_since(Instant::now());
            if state.running.is_empty() && state.finished.is_empty() || remaining.is_zero() {
                return;
            }
            if state.finished.is_empty() {
                drop(self.changed.wait_timeout(state, remaining).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// Waits until the version retires, at most for `limit`. Returns whether the version has retired.
    pub(crate) fn wait_retired(&self, limit: Duration) -> bool {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, limit, |state| !state.retired);
        waited.unwrap_or_else(PoisonError::into_inner).0.retired
    }

    /// Returns the names of the threads that run.
    pub(crate) fn names(&self) -> Vec<String> {
        self.lock().running.iter().map(|thread| thread.name.clone()).collect()
    }
}
