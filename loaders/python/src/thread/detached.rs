//! Detaching of a thread for the time of a call into the host.

use pyo3::prelude::*;

use super::record::{self, ThreadRecord, create_record, with_record};

/// Detaches this thread, calls `body`, which may block, and attaches the thread again. Other threads may use the
/// interpreter meanwhile. While the interpreter ends, and does not wait any more, the thread stays attached.
///
/// `body` must not touch Python objects. pyo3 enforces this by `Send`, which would also refuse values that must
/// stay on their thread. Here, each caller has to make sure of it.
pub(crate) fn detach<R>(py: Python<'_>, body: impl FnOnce() -> R) -> R {
    /// A value that is called `Send` although it stays on its thread.
    struct AssertSend<T>(T);
    // SAFETY: `Python::detach` calls its closure on the thread that called it, so the value never leaves its thread.
    unsafe impl<T> Send for AssertSend<T> {}
    impl<R, F: FnOnce() -> R> AssertSend<F> {
        fn call(self) -> AssertSend<R> {
            AssertSend((self.0)())
        }
    }
    let Ok(_inside) = Inside::enter() else { return body() };
    let body = AssertSend(body);
    py.detach(move || body.call()).0
}

/// A guard that marks this thread as inside until it is dropped, so that the interpreter is still there when the thread
/// comes back from a function of the host. The thread may be one of Python's own, which has no record until then.
struct Inside {
    /// The mark that the thread's record had before.
    was_inside: bool,
}

/// The error of a thread that wants to detach after the interpreter has stopped waiting for detached threads.
struct Closed;

impl Inside {
    #[inline]
    fn enter() -> Result<Self, Closed> {
        if with_record(|record| record.is_none()) {
            create_record();
        }
        let was_inside = with_record(|record| record.is_none_or(ThreadRecord::mark_inside));
        let this = Self { was_inside };
        if !was_inside && record::is_closed() { Err(Closed) } else { Ok(this) }
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        with_record(|record| {
            if let Some(record) = record {
                record.leave(self.was_inside);
            }
        });
    }
}
