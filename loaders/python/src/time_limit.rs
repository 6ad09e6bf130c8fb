//! The limit of the time that calls may take.
//!
//! A watcher thread wakes when the time of a call is up, and raises an exception in the thread that carries out the
//! call. Python code meets the exception at its next instruction; code in C runs until it returns. The code may catch
//! the exception, and has one interval for that. After it, the exception is raised again at intervals until the call is
//! over, and once the thread has met it a second time, at each line of the bundles' code: a loop whose body catches
//! everything ends as well.

use std::ffi::c_ulong;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use polyplug::engine::Fault;
use polyplug::types::LiftError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::lock::lock;
use crate::{interpreter, thread};

/// A running call whose time is limited.
struct TimedCall {
    number: u64,
    /// The number of the thread that carries out the call.
    thread: c_ulong,
    /// The time of the next exception.
    deadline: Instant,
    /// The exceptions that have been raised.
    raised: Raised,
}

/// The exceptions that a call has got because its time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Raised {
    None,
    /// At least one; the thread has caught none or one of them.
    Some,
    /// One at each line of the bundles' code.
    AtEachLine,
}

/// The calls that the watcher thread watches.
struct Watched {
    calls: Vec<TimedCall>,
    /// The number of the last call.
    last_number: u64,
    /// The time at which the watcher thread wakes by itself; `None` if it has to be notified.
    wakes_at: Option<Instant>,
}

/// The lock order is interpreter first: attached threads may take this lock, and its owner never attaches.
static WATCHED: Mutex<Watched> = Mutex::new(Watched { calls: Vec::new(), last_number: 0, wakes_at: None });
static CHANGED: Condvar = Condvar::new();

/// The time between two exceptions in the same call.
const REPEAT_INTERVAL: Duration = Duration::from_millis(20);

/// The time between two exceptions in a call that gets one at each line of the bundles' code. Only code of other modules
/// that does not return meets them, and an exception there may come where a lock has just been taken.
const RARE_INTERVAL: Duration = Duration::from_secs(1);

/// The timer of one call, which ends when this is dropped. The thread has to be attached then.
pub(crate) struct CallTimer {
    number: u64,
    deadline: Instant,
}

impl CallTimer {
    /// Starts the timer of a call that this thread, which is attached, carries out. Returns `None` if the limit is too
    /// far in the future for the clock.
    ///
    /// # Errors
    ///
    /// The watcher thread cannot be started.
    pub(crate) fn start(limit: Duration) -> Result<Option<Self>, Fault> {
        let Some(deadline) = Instant::now().checked_add(limit) else { return Ok(None) };
        ensure_watcher()?;
        IS_USED.store(true, Ordering::Relaxed);
        let mut watched = lock(&WATCHED);
        watched.last_number += 1;
        let number = watched.last_number;
        watched.calls.push(TimedCall { number, thread: thread::ident(), deadline, raised: Raised::None });
        // The watcher mostly wakes early enough by itself, for a call that started earlier.
        if watched.wakes_at.is_none_or(|wakes_at| deadline < wakes_at) {
            CHANGED.notify_one();
        }
        Ok(Some(Self { number, deadline }))
    }

    /// Returns whether the call's time is up.
    pub(crate) fn is_expired(&self) -> bool {
        Instant::now() >= self.deadline
    }
}

/// Fails if the time of a call that this thread carries out is up. For loops in Rust, which meet no exception.
///
/// # Errors
///
/// The time is up.
pub(crate) fn proceed() -> Result<(), Fault> {
    if !IS_USED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let (here, now) = (thread::ident(), Instant::now());
    match lock(&WATCHED).calls.iter().any(|call| call.thread == here && now >= call.deadline) {
        true => Err(LiftError::new("it takes longer than the call may").into()),
        false => Ok(()),
    }
}

/// `true` once there was a call with a limit.
static IS_USED: AtomicBool = AtomicBool::new(false);

impl Drop for CallTimer {
    fn drop(&mut self) {
        let is_last = {
            let mut watched = lock(&WATCHED);
            watched.calls.retain(|call| call.number != self.number);
            let here = thread::ident();
            !watched.calls.iter().any(|call| call.thread == here && call.raised != Raised::None)
        };
        // The order matters: after the call is removed no exception is raised, and one that was raised before was
        // raised after the deadline. Such an exception may not have reached the thread's Python code yet.
        if self.is_expired() {
            Python::attach(|py| {
                thread::cancel_interrupt(py);
                // The time of a call around this one may be up as well.
                if is_last && thread::is_raising() {
                    thread::stop_raising(py);
                }
            });
        }
    }
}

/// Starts the watcher thread unless it runs. A later call tries again if it cannot be started.
fn ensure_watcher() -> Result<(), Fault> {
    static IS_STARTED: AtomicBool = AtomicBool::new(false);
    static STARTING: Mutex<()> = Mutex::new(());
    if IS_STARTED.load(Ordering::Acquire) {
        return Ok(());
    }
    // The owner of this lock never waits for the interpreter, so an attached thread may wait for the lock.
    let _alone = lock(&STARTING);
    if IS_STARTED.load(Ordering::Acquire) {
        return Ok(());
    }
    let started = std::thread::Builder::new().name("polyplug-limits".to_owned()).spawn(|| {
        let mut is_equipped = false;
        loop {
            wait_for_deadline();
            // `WATCHED` is free here, and locked again after attaching: the lock order is interpreter first.
            let attached = thread::attach(|py| {
                if !std::mem::replace(&mut is_equipped, true) {
                    equip(py).map_err(Fault::new)?;
                }
                interrupt_expired(py);
                Ok(())
            });
            if attached.is_err() {
                return;
            }
        }
    });
    started.map_err(|error| Fault::new(format_args!("there is no thread that limits the time of calls: {error}")))?;
    IS_STARTED.store(true, Ordering::Release);
    Ok(())
}

/// Waits until the time of some call is up. The end of a call does not notify the watcher.
fn wait_for_deadline() {
    let mut watched = lock(&WATCHED);
    loop {
        let now = Instant::now();
        let next = watched.calls.iter().map(|call| call.deadline).min();
        watched.wakes_at = next;
        watched = match next {
            None => CHANGED.wait(watched).unwrap_or_else(PoisonError::into_inner),
            Some(next) if next <= now => return,
            Some(next) => CHANGED.wait_timeout(watched, next - now).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
}

/// Raises the exception in each call whose time is up.
fn interrupt_expired(py: Python<'_>) {
    let Some(interpreter) = interpreter::running() else { return };
    let now = Instant::now();
    let prelude = &interpreter.prelude;
    for call in lock(&WATCHED).calls.iter_mut().filter(|call| call.deadline <= now) {
        let is_first = call.raised == Raised::None;
        let exception = if is_first { &prelude.time_limit } else { &prelude.last_time_limit };
        thread::interrupt(call.thread, exception.bind(py));
        if is_first {
            call.raised = Raised::Some;
        }
        call.deadline = now + if call.raised == Raised::AtEachLine { RARE_INTERVAL } else { REPEAT_INTERVAL };
    }
}

/// Raises the exception at each line from now on, if the time of a call of this thread is up. The second exception of a
/// call runs this in the thread that meets it.
#[pyfunction]
fn insist(exception: &Bound<'_, PyAny>) {
    // The call may have ended meanwhile, and its thread does something else now.
    let here = thread::ident();
    let mut is_up = false;
    for call in lock(&WATCHED).calls.iter_mut().filter(|call| call.thread == here && call.raised != Raised::None) {
        call.raised = Raised::AtEachLine;
        is_up = true;
    }
    if is_up {
        thread::raise_at_each_line(exception);
    }
}

/// Gives the prelude's second exception of a call the function that it runs.
fn equip(py: Python<'_>) -> PyResult<()> {
    let Some(interpreter) = interpreter::running() else { return Ok(()) };
    let function = pyo3::wrap_pyfunction!(insist, py)?;
    interpreter.prelude.last_time_limit.bind(py).setattr(intern!(py, "insist"), function)
}
