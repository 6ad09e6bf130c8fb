//! Foreign code that may hang, and a limit on the wait for it.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

thread_local! {
    static WORKS_FOR: Cell<Option<ThreadId>> = const { Cell::new(None) };
}

/// The thread that waits for this one in [`within`], or else this one: whoever acts, as far as turns are concerned.
pub(crate) fn acting_thread() -> ThreadId {
    WORKS_FOR.get().unwrap_or_else(|| thread::current().id())
}

/// Why there is no result.
pub(crate) enum NotDone {
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
pub(crate) fn within<R: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> R + Send + 'static,
    meanwhile: impl Fn(),
) -> Result<R, NotDone> {
    let (send, receive) = mpsc::sync_channel::<Result<R, Box<dyn Any + Send>>>(1);
    let waiting = acting_thread();
    let started = thread::Builder::new().name("polyplug-start".to_owned()).spawn(move || {
        WORKS_FOR.set(Some(waiting));
        // Nobody receives once the time is up: then the result is dropped here.
        let _ = send.send(catch_unwind(AssertUnwindSafe(work)));
    });
    let thread = started.map_err(NotDone::NoThread)?;
    let begun = Instant::now();
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        match receive.recv_timeout(left.min(MEANWHILE)) {
            Ok(outcome) => {
                // The thread may still run destructors of the library's thread-locals, which would keep that mapped.
                let _ = thread.join();
                return outcome.map_err(|payload| resume_unwind(payload));
            }
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(NotDone::TimedOut),
            Err(RecvTimeoutError::Timeout) => meanwhile(),
            Err(RecvTimeoutError::Disconnected) => unreachable!("the thread sends whatever happens"),
        }
    }
}
