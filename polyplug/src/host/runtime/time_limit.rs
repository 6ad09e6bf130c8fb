//! A time limit on the wait for foreign code, which may hang.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::host::joined_thread::spawn_joined;
use crate::host::waits::Task;

thread_local! {
    /// The thread that waits for this one in [`run_with_timeout`].
    static ON_BEHALF_OF: Cell<Option<ThreadId>> = const { Cell::new(None) };
}

/// Returns the thread on whose behalf this thread acts: the thread that waits for this one in [`run_with_timeout`], or
/// this thread itself. A change of a bundle belongs to the returned thread.
pub(crate) fn logical_thread() -> ThreadId {
    ON_BEHALF_OF.get().unwrap_or_else(|| thread::current().id())
}

/// The reason why [`run_with_timeout`] has no result.
pub(crate) enum TimeoutError {
    /// The time limit has passed. The work continues on its thread. The result is dropped after the thread has ended.
    TimedOut,
    /// No thread could be started for the work.
    NoThread(std::io::Error),
}

/// The time between two calls of `meanwhile` on a waiting thread.
const MEANWHILE: Duration = Duration::from_millis(20);

/// Runs `work` on a thread of its own and waits, at most for `limit`, for the result and for the end of the thread with
/// its thread-locals. Calls `meanwhile` now and then.
/// `what` names the work in the error of a thread that would wait for this one meanwhile.
///
/// # Panics
///
/// With the payload of `work`'s panic.
pub(crate) fn run_with_timeout<R: Send + 'static>(
    limit: Duration,
    what: String,
    work: impl FnOnce() -> R + Send + 'static,
    meanwhile: impl Fn(),
) -> Result<R, TimeoutError> {
    let (send, receive) = mpsc::sync_channel::<thread::Result<R>>(1);
    let waiting = logical_thread();
    let task = Task::new(what);
    let _awaiting = Task::awaiting(&task).expect("no thread carries out the task yet");
    let work = move || {
        ON_BEHALF_OF.set(Some(waiting));
        task.run(work)
    };
    // After the time limit the receiver no longer exists, and the result is dropped there.
    let started = spawn_joined("polyplug-start", work, move |outcome| drop(send.send(outcome)));
    started.map_err(TimeoutError::NoThread)?;
    let begun = Instant::now();
    loop {
        let remaining = limit.saturating_sub(begun.elapsed());
        match receive.recv_timeout(remaining.min(MEANWHILE)) {
            Ok(outcome) => return outcome.map_err(|payload| resume_unwind(payload)),
            Err(RecvTimeoutError::Timeout) if remaining.is_zero() => return Err(TimeoutError::TimedOut),
            Err(RecvTimeoutError::Timeout) => meanwhile(),
            Err(RecvTimeoutError::Disconnected) => unreachable!("the outcome of the thread is sent"),
        }
    }
}
