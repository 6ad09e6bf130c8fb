//! `Condvar`, whose waits with a limit end in one of two ways, of which a model chooses one.

use std::cell::Cell;
use std::sync::{LockResult, PoisonError};
use std::time::Duration;

use super::clock;
use super::mutex::MutexGuard;

/// The ways in which a wait with a limit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Waits {
    /// By its limit, which may pass at any moment. A notification never ends the wait.
    #[default]
    PassAnyTime,
    /// By a notification. The limit is not reached until [`end_waits`]: a lost notification is a deadlock.
    NeverPass,
}

thread_local! {
    // All threads of a model run on one thread of the system.
    static WAITS: Cell<Waits> = const { Cell::new(Waits::PassAnyTime) };
    static ENDED: Cell<bool> = const { Cell::new(false) };
}

/// Sets how waits end in this execution. Must be called at its beginning.
pub fn set_waits(waits: Waits) {
    WAITS.set(waits);
    ENDED.set(false);
}

/// Makes the limit of every later wait pass at once. Must be called by the thread that waits, because waits that have
/// begun do not end by it.
pub fn end_waits() {
    ENDED.set(true);
}

/// `std::sync::Condvar`.
#[derive(Default)]
pub struct Condvar(loom::sync::Condvar);

/// `std::sync::WaitTimeoutResult`.
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Returns whether the limit was reached.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// Makes a condition variable without waiting threads.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for a notification.
    ///
    /// # Errors
    ///
    /// None: a panic ends the model.
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let inner = guard.inner.take().expect("held");
        guard.inner = Some(self.0.wait(inner).unwrap_or_else(PoisonError::into_inner));
        Ok(guard)
    }

    /// Notifies all waiting threads.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Notifies one waiting thread.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Waits for a notification or the limit.
    ///
    /// # Errors
    ///
    /// None: a panic ends the model.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        if ENDED.get() {
            clock::pass(limit);
            return Ok((guard, WaitTimeoutResult(true)));
        }
        if WAITS.get() == Waits::PassAnyTime {
            let mutex = guard.mutex;
            drop(guard);
            clock::pass(limit);
            let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok((guard, WaitTimeoutResult(true)));
        }
        Ok((self.wait(guard).unwrap_or_else(PoisonError::into_inner), WaitTimeoutResult(false)))
    }
}
