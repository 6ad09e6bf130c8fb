//! The time that calls may take.
//!
//! A thread of this loader's wakes when a call's time is up, and raises an exception in the thread that carries it out.
//! Code in Python meets it at its next step; what is written in C goes on until it returns. The exception comes again
//! and again until the call is over, for the code may have caught it.

use std::ffi::c_ulong;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use polyplug::engine::Fault;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::{interpreter, thread};

/// A call whose time is limited.
struct Running {
    number: u64,
    thread: c_ulong,
    deadline: Instant,
}

/// What there is to watch.
struct Watched {
    calls: Vec<Running>,
    /// How many there have been.
    count: u64,
    /// When the thread that watches wakes; none if it has to be woken.
    wakes: Option<Instant>,
}

/// Whoever is attached may take the lock; whoever has it never attaches.
static WATCHED: Mutex<Watched> = Mutex::new(Watched { calls: Vec::new(), count: 0, wakes: None });
static CHANGED: Condvar = Condvar::new();

/// How long after an exception the next one comes.
const AGAIN: Duration = Duration::from_millis(20);

fn watched() -> MutexGuard<'static, Watched> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time of one call, until dropped. The thread has to be attached both times.
pub(crate) struct Timed {
    number: u64,
    deadline: Instant,
}

impl Timed {
    /// Starts the time of a call.
    ///
    /// # Errors
    ///
    /// There is no thread to watch it.
    pub(crate) fn begin(limit: Duration) -> Result<Option<Self>, Fault> {
        // A limit beyond what clocks can say is none.
        let Some(deadline) = Instant::now().checked_add(limit) else { return Ok(None) };
        watch()?;
        // SAFETY: only tells the thread's number.
        let thread = unsafe { ffi::PyThread_get_thread_ident() };
        let mut watched = watched();
        watched.count += 1;
        let number = watched.count;
        watched.calls.push(Running { number, thread, deadline });
        // It wakes in time as a rule: there was a call before, which began earlier.
        if watched.wakes.is_none_or(|wakes| deadline < wakes) {
            CHANGED.notify_one();
        }
        Ok(Some(Self { number, deadline }))
    }

    /// Whether the time is up.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        watched().calls.retain(|running| running.number != self.number);
        // Asked afterwards: no exception comes any more, and one that has come did so when the time was up.
        if self.is_over() {
            // An exception may be on its way still.
            Python::attach(thread::cancel_interrupt);
        }
    }
}

/// Starts the thread that watches.
fn watch() -> Result<(), Fault> {
    static IS_STARTED: AtomicBool = AtomicBool::new(false);
    static STARTING: Mutex<()> = Mutex::new(());
    if IS_STARTED.load(Ordering::Acquire) {
        return Ok(());
    }
    // Whoever has it never waits for the interpreter.
    let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if IS_STARTED.load(Ordering::Acquire) {
        return Ok(());
    }
    let started = std::thread::Builder::new().name("polyplug-limits".to_owned()).spawn(|| {
        loop {
            wait();
            // First the interpreter, then the lock: see `WATCHED`.
            let closing = thread::attach(|py| {
                interrupt(py);
                Ok(())
            });
            if closing.is_err() {
                return;
            }
        }
    });
    // The next call tries again.
    started.map_err(|error| Fault::new(format_args!("there is no thread that limits the time of calls: {error}")))?;
    IS_STARTED.store(true, Ordering::Release);
    Ok(())
}

/// Waits until some call's time is up. That a call has ended wakes nobody.
fn wait() {
    let mut watched = watched();
    loop {
        let now = Instant::now();
        let next = watched.calls.iter().map(|running| running.deadline).min();
        watched.wakes = next;
        watched = match next {
            None => CHANGED.wait(watched).unwrap_or_else(PoisonError::into_inner),
            Some(next) if next <= now => return,
            Some(next) => CHANGED.wait_timeout(watched, next - now).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
}

/// Raises the exception in those whose time is up.
fn interrupt(py: Python<'_>) {
    let Some(interpreter) = interpreter::running() else { return };
    let now = Instant::now();
    let mut watched = watched();
    for running in watched.calls.iter_mut().filter(|running| running.deadline <= now) {
        thread::interrupt(running.thread, interpreter.prelude.time_limit.bind(py));
        running.deadline = now + AGAIN;
    }
}
