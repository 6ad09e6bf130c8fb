//! Foreign code that may hang, and a limit on the wait for it.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

thread_local! {
    static ON_BEHALF_OF: Cell<Option<ThreadId>> = const { Cell::new(None) };
}

/// The thread that waits for this one in [`run_with_timeout`], or else this one: whoever acts, as far as turns are concerned.
pub(crate) fn logical_thread() -> ThreadId {
    ON_BEHALF_OF.get().unwrap_or_else(|| thread::current().id())
}

/// Why there is no result.
pub(crate) enum TimeoutError {
    /// The time is up. The work goes on; its result will be dropped where it is made.
    TimedOut,
    /// It could not be begun.
    NoThread(std::io::Error),
}

/// How often a thread that waits looks after other things.
const MEANWHILE: Duration = Duration::from_millis(20);

/// Does `work` on a thread of its own and waits for the result, at most for `limit`. Calls `meanwhile` now and then.
///
/// # Panics
///
/// With what `work` panics with.
pub(crate) fn run_with_timeout<R: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> R + Send + 'static,
    meanwhile: impl Fn(),
) -> Result<R, TimeoutError> {
    let (send, receive) = mpsc::sync_channel::<Result<R, Box<dyn Any + Send>>>(1);
    let waiting = logical_thread();
    let started = thread::Builder::new().name("polyplug-start".to_owned()).spawn(move || {
        ON_BEHALF_OF.set(Some(waiting));
        // Nobody receives once the time is up: then the result is dropped here.
        let _ = send.send(catch_unwind(AssertUnwindSafe(work)));
    });
    let thread = started.map_err(TimeoutError::NoThread)?;
    let begun = Instant::now();
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        match receive.recv_timeout(left.min(MEANWHILE)) {
            Ok(outcome) => {
                // The thread may still run destructors of the library's thread-locals, which would keep that mapped.
                let _ = thread.join();
                return outcome.map_err(|payload| resume_unwind(payload));
            }
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(TimeoutError::TimedOut),
            Err(RecvTimeoutError::Timeout) => meanwhile(),
            Err(RecvTimeoutError::Disconnected) => unreachable!("the thread sends whatever happens"),
        }
    }
}
