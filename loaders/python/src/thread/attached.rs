//! Threads in the interpreter.
//!
//! A thread that calls guests keeps the state that the interpreter has for it, so that only the first call has to make
//! one. Each thread has a record, which says whether it is in; that is how an interpreter that shuts down knows whom to
//! wait for, and how those who come later know that it does. Attaching to an interpreter that is shutting down would hang
//! the thread, or end it with Rust's frames on its stack.

use std::cell::{Cell, RefCell};
use std::ffi::{c_long, c_ulong};
use std::marker::PhantomData;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use polyplug::engine::Fault;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::barrier;

/// What is known of a thread that has called a guest.
struct Record {
    /// How the interpreter knows it.
    ident: c_ulong,
    /// Whether it is in the interpreter, or in a function that the interpreter has called.
    is_inside: AtomicBool,
}

/// Everybody who may be in.
static RECORDS: Mutex<Vec<Arc<Record>>> = Mutex::new(Vec::new());

/// Whether the interpreter shuts down, or has shut down.
static IS_CLOSING: AtomicBool = AtomicBool::new(false);

/// Whether it no longer waits for threads of its own that are in functions of the host's.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The state that this thread keeps; null if there is none, or if it is somebody else's.
    static MINE: Cell<*mut ffi::PyThreadState> = const { Cell::new(null_mut()) };
    /// This thread's record, which [`LEAVING`] keeps; null before the first call.
    static RECORD: Cell<*const Record> = const { Cell::new(std::ptr::null()) };
    static LEAVING: RefCell<Option<Leaving>> = const { RefCell::new(None) };
}

/// What a thread has to give back at its end.
struct Leaving {
    record: Arc<Record>,
    state: Option<ffi::PyGILState_STATE>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        RECORD.set(std::ptr::null());
        let mine = MINE.replace(null_mut());
        if let Some(state) = self.state.take()
            && self.record.enter().is_ok()
        {
            // SAFETY: the state is this thread's, which is not attached; it was made by the call that returned `state`.
            unsafe {
                ffi::PyEval_RestoreThread(mine);
                ffi::PyGILState_Release(state);
            }
            self.record.leave(false);
        }
        lock(&RECORDS).retain(|record| !Arc::ptr_eq(record, &self.record));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Record {
    /// Says that the thread is in; whether it was. Whoever closes sees this, or what is looked at next is that it is
    /// closed.
    #[inline]
    fn mark(&self) -> bool {
        // Only this thread writes it.
        let was_inside = self.is_inside.load(Ordering::Relaxed);
        self.is_inside.store(true, Ordering::Relaxed);
        barrier::light();
        was_inside
    }

    /// Says that the thread is in, unless the interpreter shuts down. Whether it was in before, in a function that the
    /// interpreter has called: then it stays in when this ends.
    #[inline]
    fn enter(&self) -> Result<bool, Fault> {
        let was_inside = self.mark();
        if IS_CLOSING.load(Ordering::Relaxed) {
            self.leave(was_inside);
            return Err(closed());
        }
        Ok(was_inside)
    }

    /// `was_inside` is what [`enter`](Self::enter) gave.
    #[inline]
    fn leave(&self, was_inside: bool) {
        self.is_inside.store(was_inside, Ordering::Release);
    }
}

#[cold]
fn closed() -> Fault {
    Fault::new("the Python interpreter is shutting down: no plugin in Python can be called any more")
}

/// This thread is attached to the interpreter until this is dropped.
pub(crate) struct Attached {
    how: How,
    /// Whether the thread was in already, though not attached.
    was_inside: bool,
    _not_send: PhantomData<*mut ()>,
}

enum How {
    /// It was attached already.
    Nested,
    /// With the state that it keeps.
    Own,
    /// With that of somebody else, such as Python's own threads.
    Borrowed(ffi::PyGILState_STATE),
}

/// The state of the thread that is attached: of this one if it is.
#[inline]
fn current() -> *mut ffi::PyThreadState {
    #[cfg(not(Py_3_13))]
    unsafe extern "C" {
        #[link_name = "_PyThreadState_UncheckedGet"]
        fn unchecked() -> *mut ffi::PyThreadState;
    }
    #[cfg(Py_3_13)]
    use ffi::PyThreadState_GetUnchecked as unchecked;
    // SAFETY: may be called by any thread once the interpreter has been started.
    unsafe { unchecked() }
}

impl Attached {
    /// Attaches this thread.
    ///
    /// # Errors
    ///
    /// The interpreter is shutting down.
    #[inline]
    pub(crate) fn enter() -> Result<Self, Fault> {
        let mine = MINE.get();
        if mine.is_null() {
            return Self::enter_first();
        }
        if current() == mine {
            return Ok(Self::new(How::Nested, true));
        }
        // SAFETY: a thread with a state has a record, which is its own until it ends.
        let was_inside = unsafe { &*RECORD.get() }.enter()?;
        // SAFETY: the state is this thread's, which is not attached. The interpreter waits for it before it ends.
        unsafe { ffi::PyEval_RestoreThread(mine) };
        Ok(Self::new(How::Own, was_inside))
    }

    /// The same for a thread that keeps no state.
    #[cold]
    fn enter_first() -> Result<Self, Fault> {
        // SAFETY: may be asked at any time.
        if IS_CLOSING.load(Ordering::SeqCst) || unsafe { ffi::Py_IsInitialized() } == 0 {
            return Err(closed());
        }
        // SAFETY: the interpreter has been started.
        let found = unsafe { ffi::PyGILState_GetThisThreadState() };
        if !found.is_null() && current() == found {
            return Ok(Self::new(How::Nested, true));
        }
        let Some(record) = record() else { return Err(Fault::new("the thread is ending")) };
        let was_inside = record.enter()?;
        // SAFETY: the interpreter runs, and waits for this thread before it ends.
        let state = unsafe { ffi::PyGILState_Ensure() };
        if !found.is_null() {
            return Ok(Self::new(How::Borrowed(state), was_inside));
        }
        MINE.set(current());
        LEAVING.with_borrow_mut(|leaving| {
            if let Some(leaving) = leaving {
                leaving.state = Some(state);
            }
        });
        Ok(Self::new(How::Own, was_inside))
    }

    #[inline]
    fn new(how: How, was_inside: bool) -> Self {
        Self { how, was_inside, _not_send: PhantomData }
    }

    /// The proof that this thread is attached.
    #[inline]
    pub(crate) fn py(&self) -> Python<'_> {
        // SAFETY: it is until `self` is dropped.
        unsafe { Python::assume_attached() }
    }
}

impl Drop for Attached {
    #[inline]
    fn drop(&mut self) {
        match self.how {
            How::Nested => return,
            // SAFETY: this thread was attached with its state by `enter`.
            How::Own => _ = unsafe { ffi::PyEval_SaveThread() },
            // SAFETY: made by `enter_first`, and given back once.
            How::Borrowed(state) => unsafe { ffi::PyGILState_Release(state) },
        }
        // SAFETY: as in `enter`; null only while the thread ends.
        if let Some(record) = unsafe { RECORD.get().as_ref() } {
            record.leave(self.was_inside);
        }
    }
}

/// The record of this thread, made at the first call; `None` while the thread ends.
fn record() -> Option<Arc<Record>> {
    LEAVING
        .try_with(|leaving| {
            let mut leaving = leaving.borrow_mut();
            let leaving = leaving.get_or_insert_with(|| {
                // SAFETY: only tells the thread's number.
                let ident = unsafe { ffi::PyThread_get_thread_ident() };
                let record = Arc::new(Record { ident, is_inside: AtomicBool::new(false) });
                lock(&RECORDS).push(Arc::clone(&record));
                RECORD.set(Arc::as_ptr(&record));
                Leaving { record, state: None }
            });
            Arc::clone(&leaving.record)
        })
        .ok()
}

/// Runs `body` attached, in a way that pyo3 knows of: what it drops is given back at once.
pub(crate) fn with<R>(body: impl FnOnce(Python<'_>) -> Result<R, Fault>) -> Result<R, Fault> {
    let _attached = Attached::enter()?;
    Python::attach(body)
}

/// Drops what holds objects of the interpreter's, at once. While it shuts down, they are its own.
pub(crate) fn release<T>(value: T) {
    let _ = with(|_| {
        drop(value);
        Ok(())
    });
}

/// Runs `body`, which may take its time, while others may be in the interpreter.
pub(crate) fn outside<R>(py: Python<'_>, body: impl FnOnce() -> R) -> R {
    /// The closure stays on this thread, and what it may not touch meanwhile are values of the interpreter's, which
    /// those who write calls of this have to see to: pyo3 takes whatever may not go to another thread for such a value.
    struct Here<T>(T);
    // SAFETY: nothing goes to another thread: pyo3 runs the closure on this one.
    unsafe impl<T> Send for Here<T> {}
    impl<R, F: FnOnce() -> R> Here<F> {
        fn call(self) -> Here<R> {
            Here((self.0)())
        }
    }
    let Ok(_inside) = Inside::enter() else { return body() };
    let body = Here(body);
    py.detach(move || body.call()).0
}

/// A thread is in a function that the interpreter has called, until this is dropped: it comes back to an interpreter that
/// is still there. It may be one of Python's own, which nobody else waits for.
struct Inside {
    /// Null while the thread ends.
    record: *const Record,
    was_inside: bool,
}

/// Nobody waits any more for threads that detach.
struct Closed;

impl Inside {
    #[inline]
    fn enter() -> Result<Self, Closed> {
        let mut record = RECORD.get();
        if record.is_null() {
            record = self::record().map_or(std::ptr::null(), |record| Arc::as_ptr(&record));
        }
        // SAFETY: null, or this thread's record, which is its own until it ends.
        let was_inside = unsafe { record.as_ref() }.is_none_or(Record::mark);
        let this = Self { record, was_inside };
        if !was_inside && IS_CLOSED.load(Ordering::Relaxed) { Err(Closed) } else { Ok(this) }
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: as in `enter`: this stays on its thread, in one call.
        if let Some(record) = unsafe { self.record.as_ref() } {
            record.leave(self.was_inside);
        }
    }
}

/// How often whoever shuts down looks whether the others have gone.
const PACE: Duration = Duration::from_millis(5);

/// Lets nobody in any more, and waits until all have left. Those who are in are interrupted with `exception`; what does
/// not run code in Python is waited for.
///
/// The interpreter calls it when it shuts down: first of all, and, with `is_last`, when it has waited for the threads of
/// its own that it waits for. What others of its threads call afterwards is not waited for, so that they stay attached.
pub(crate) fn close(py: Python<'_>, exception: &Bound<'_, PyAny>, is_last: bool) {
    IS_CLOSING.store(true, Ordering::SeqCst);
    if is_last {
        IS_CLOSED.store(true, Ordering::SeqCst);
    }
    barrier::heavy();
    // SAFETY: only tells the thread's number.
    let here = unsafe { ffi::PyThread_get_thread_ident() };
    let mut rounds = 0_u32;
    loop {
        let inside = |record: &&Arc<Record>| record.ident != here && record.is_inside.load(Ordering::SeqCst);
        let idents: Vec<_> = lock(&RECORDS).iter().filter(inside).map(|record| record.ident).collect();
        if idents.is_empty() {
            return;
        }
        if rounds.is_multiple_of(20) {
            idents.into_iter().for_each(|ident| interrupt(ident, exception));
        }
        rounds = rounds.wrapping_add(1);
        py.detach(|| std::thread::sleep(PACE));
    }
}

/// Raises an exception in the code in Python that a thread runs, when it next runs any.
pub(crate) fn interrupt(ident: c_ulong, exception: &Bound<'_, PyAny>) {
    // SAFETY: this thread is attached; the exception is a class.
    unsafe { ffi::PyThreadState_SetAsyncExc(signed(ident), exception.as_ptr()) };
}

/// Takes back an exception that was to be raised on this thread, if it has not been.
pub(crate) fn calm(_: Python<'_>) {
    // SAFETY: this thread is attached, and the number is its own.
    unsafe { ffi::PyThreadState_SetAsyncExc(signed(ffi::PyThread_get_thread_ident()), null_mut()) };
}

/// A thread's number, as the function takes it that wants it with a sign.
fn signed(ident: c_ulong) -> c_long {
    c_long::from_ne_bytes(ident.to_ne_bytes())
}
