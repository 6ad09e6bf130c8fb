//! The record of each thread that calls guests, and the thread state that the thread keeps between calls.
//!
//! A thread keeps its `PyThreadState`, so that only its first call makes one. The records tell an interpreter that
//! shuts down which threads to wait for, and tell threads that come later that the interpreter shuts down.

use std::cell::{Cell, RefCell};
use std::ffi::c_ulong;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use polyplug::engine::Fault;
use pyo3::ffi;

use super::interrupt::ident;
use crate::barrier;
use crate::lock::lock;

/// The state of a thread that has called a guest.
pub(super) struct ThreadRecord {
    /// The number by which the interpreter knows the thread.
    ident: c_ulong,
    /// The mark that says that the thread is in the interpreter, or in a function that the interpreter has called. Only
    /// the thread itself writes the mark.
    is_inside: AtomicBool,
}

/// The records of all threads that may be inside.
static RECORDS: Mutex<Vec<Arc<ThreadRecord>>> = Mutex::new(Vec::new());

/// The flag that says that the interpreter shuts down, or has shut down.
static IS_CLOSING: AtomicBool = AtomicBool::new(false);

/// The flag that says that the interpreter has stopped waiting for its own threads that are in functions of the host.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The thread state that this thread keeps; null if it keeps none, or if the state belongs to other code.
    static OWN_STATE: Cell<*mut ffi::PyThreadState> = const { Cell::new(null_mut()) };
    /// The record of this thread, which [`EXIT`] owns; null before the first call and while the thread ends.
    static RECORD: Cell<*const ThreadRecord> = const { Cell::new(null()) };
    /// The owner of the record and the thread state; `None` before the first call.
    static EXIT: RefCell<Option<ThreadExit>> = const { RefCell::new(None) };
}

/// The owner of a thread's record and thread state. Its destructor gives both back when the thread ends.
struct ThreadExit {
    record: Arc<ThreadRecord>,
    /// The value with which the kept thread state is released; `None` if the thread keeps none.
    gil_state: Option<ffi::PyGILState_STATE>,
}

impl Drop for ThreadExit {
    fn drop(&mut self) {
        RECORD.set(null());
        let own = OWN_STATE.replace(null_mut());
        if let Some(gil_state) = self.gil_state.take()
            && self.record.enter().is_ok()
        {
            // SAFETY: `own` is the state that `keep_state` stored on this thread, and this thread is not attached:
            // guards end with the call that made them. `gil_state` was returned by the call that made `own`.
            unsafe {
                ffi::PyEval_RestoreThread(own);
                ffi::PyGILState_Release(gil_state);
            }
            self.record.leave(false);
        }
        lock(&RECORDS).retain(|record| !Arc::ptr_eq(record, &self.record));
    }
}

impl ThreadRecord {
    /// Marks the thread as inside and returns whether it was marked before.
    ///
    /// The mark comes before a light barrier, and [`close`] writes its flags before the heavy one: either the thread
    /// sees the flags after this call, or [`idents_inside`] sees the mark.
    #[inline]
    pub(super) fn mark_inside(&self) -> bool {
        let was_inside = self.is_inside.load(Ordering::Relaxed);
        self.is_inside.store(true, Ordering::Relaxed);
        barrier::light();
        was_inside
    }

    /// Marks the thread as inside and returns whether it was marked before, as it is in a function that the interpreter
    /// has called.
    ///
    /// # Errors
    ///
    /// The interpreter shuts down.
    #[inline]
    pub(super) fn enter(&self) -> Result<bool, Fault> {
        let was_inside = self.mark_inside();
        if IS_CLOSING.load(Ordering::Relaxed) {
            self.leave(was_inside);
            return Err(closed());
        }
        Ok(was_inside)
    }

    /// Restores the mark that [`enter`](Self::enter) or [`mark_inside`](Self::mark_inside) returned.
    #[inline]
    pub(super) fn leave(&self, was_inside: bool) {
        self.is_inside.store(was_inside, Ordering::Release);
    }
}

/// Returns the fault of a call that comes while the interpreter shuts down.
#[cold]
pub(super) fn closed() -> Fault {
    Fault::new("the Python interpreter is shutting down: no plugin in Python can be called any more")
}

/// Returns whether the interpreter shuts down. The answer may be outdated at once unless the thread is marked as
/// inside.
pub(crate) fn is_closing() -> bool {
    IS_CLOSING.load(Ordering::SeqCst)
}

/// Returns whether the interpreter has stopped waiting for threads that detach.
#[inline]
pub(super) fn is_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

/// Sets the flags of a shutdown, and makes them visible to every thread that is marked as inside later.
pub(super) fn close(is_last: bool) {
    IS_CLOSING.store(true, Ordering::SeqCst);
    if is_last {
        IS_CLOSED.store(true, Ordering::SeqCst);
    }
    barrier::heavy();
}

/// Returns the numbers of the threads that are inside, except for this one.
pub(super) fn idents_inside() -> Vec<c_ulong> {
    let here = ident();
    let inside = |record: &&Arc<ThreadRecord>| record.ident != here && record.is_inside.load(Ordering::SeqCst);
    lock(&RECORDS).iter().filter(inside).map(|record| record.ident).collect()
}

/// Calls `body` with this thread's record; with `None` if the thread has not made one, or ends.
#[inline]
pub(super) fn with_record<R>(body: impl FnOnce(Option<&ThreadRecord>) -> R) -> R {
    // SAFETY: `RECORD` is null, or points to the record that `EXIT` of this thread owns. `EXIT` drops the record at the
    // thread's end only, after it has set `RECORD` to null, and never while `body` runs on this thread.
    body(unsafe { RECORD.get().as_ref() })
}

/// Makes this thread's record, unless the thread has one or ends.
#[cold]
pub(super) fn create_record() {
    let _is_ending = EXIT.try_with(|exit| {
        exit.borrow_mut().get_or_insert_with(|| {
            let record = Arc::new(ThreadRecord { ident: ident(), is_inside: AtomicBool::new(false) });
            lock(&RECORDS).push(Arc::clone(&record));
            RECORD.set(Arc::as_ptr(&record));
            ThreadExit { record, gil_state: None }
        });
    });
}

/// Returns the thread state that this thread keeps; null if it keeps none.
#[inline]
pub(super) fn own_state() -> *mut ffi::PyThreadState {
    OWN_STATE.get()
}

/// Keeps `state` for this thread's later calls. `gil_state` is the value with which it is released at the thread's end.
pub(super) fn keep_state(state: *mut ffi::PyThreadState, gil_state: ffi::PyGILState_STATE) {
    OWN_STATE.set(state);
    EXIT.with_borrow_mut(|exit| {
        if let Some(exit) = exit {
            exit.gil_state = Some(gil_state);
        }
    });
}
