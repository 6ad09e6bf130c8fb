//! Attaching of a thread for the time of a call.

use std::marker::PhantomData;

use polyplug::engine::Fault;
use pyo3::ffi;
use pyo3::prelude::*;

use super::record::{self, create_record, with_record};

/// A guard that keeps this thread attached to the interpreter until it is dropped.
pub(crate) struct Attached {
    kind: AttachKind,
    /// The mark that the thread's record had before this guard was made.
    was_inside: bool,
    _not_send: PhantomData<*mut ()>,
}

/// The way in which a guard attached its thread. The thread is detached in the corresponding way.
enum AttachKind {
    /// The thread was attached before.
    Nested,
    /// The thread is attached with the thread state that it keeps.
    Own,
    /// The thread is attached with a thread state of other code, such as that of Python's own threads.
    Borrowed(ffi::PyGILState_STATE),
}

/// Returns the attached thread state: this thread's if this thread is attached. Returns null if there is none.
#[inline]
fn attached_state() -> *mut ffi::PyThreadState {
    #[cfg(not(Py_3_13))]
    unsafe extern "C" {
        #[link_name = "_PyThreadState_UncheckedGet"]
        fn get_unchecked() -> *mut ffi::PyThreadState;
    }
    #[cfg(Py_3_13)]
    use ffi::PyThreadState_GetUnchecked as get_unchecked;
    // SAFETY: CPython allows the call on every thread once the interpreter has been started; both callers know that it
    // has.
    unsafe { get_unchecked() }
}

impl Attached {
    /// Attaches this thread.
    ///
    /// # Errors
    ///
    /// The interpreter is shutting down.
    #[inline]
    pub(crate) fn enter() -> Result<Self, Fault> {
        let own = record::own_state();
        if own.is_null() {
            return Self::enter_first();
        }
        if attached_state() == own {
            return Ok(Self::new(AttachKind::Nested, true));
        }
        let was_inside = enter_record()?;
        // SAFETY: `own` is this thread's state, and the comparison above says that it is not attached. The interpreter
        // is there: the record says that this thread is inside, and `shut_down` waits for such threads.
        unsafe { ffi::PyEval_RestoreThread(own) };
        Ok(Self::new(AttachKind::Own, was_inside))
    }

    /// Attaches a thread that keeps no thread state.
    #[cold]
    fn enter_first() -> Result<Self, Fault> {
        // SAFETY: CPython allows the call at any time.
        if record::is_closing() || unsafe { ffi::Py_IsInitialized() } == 0 {
            return Err(record::closed());
        }
        // SAFETY: `Py_IsInitialized` has said that the interpreter is there.
        let found = unsafe { ffi::PyGILState_GetThisThreadState() };
        if !found.is_null() && attached_state() == found {
            return Ok(Self::new(AttachKind::Nested, true));
        }
        create_record();
        let was_inside = enter_record()?;
        // SAFETY: the interpreter is there: the record says that this thread is inside, and `shut_down` waits for such
        // threads.
        let gil_state = unsafe { ffi::PyGILState_Ensure() };
        if !found.is_null() {
            return Ok(Self::new(AttachKind::Borrowed(gil_state), was_inside));
        }
        record::keep_state(attached_state(), gil_state);
        Ok(Self::new(AttachKind::Own, was_inside))
    }

    #[inline]
    fn new(kind: AttachKind, was_inside: bool) -> Self {
        Self { kind, was_inside, _not_send: PhantomData }
    }

    /// Returns pyo3's proof that this thread is attached.
    #[inline]
    pub(crate) fn py(&self) -> Python<'_> {
        // SAFETY: the guard keeps its thread attached until it is dropped, and cannot leave its thread.
        unsafe { Python::assume_attached() }
    }
}

impl Drop for Attached {
    #[inline]
    fn drop(&mut self) {
        match self.kind {
            AttachKind::Nested => return,
            // SAFETY: `enter` attached this thread with its own state, and guards end in the reverse order.
            AttachKind::Own => _ = unsafe { ffi::PyEval_SaveThread() },
            // SAFETY: `enter_first` took `gil_state` on this thread, and this is the one place that gives it back.
            AttachKind::Borrowed(gil_state) => unsafe { ffi::PyGILState_Release(gil_state) },
        }
        with_record(|record| {
            if let Some(record) = record {
                record.leave(self.was_inside);
            }
        });
    }
}

/// Marks this thread as inside and returns whether it was marked before.
#[inline]
fn enter_record() -> Result<bool, Fault> {
    with_record(|record| match record {
        Some(record) => record.enter(),
        None => Err(Fault::new("the thread is ending")),
    })
}

/// Attaches this thread and calls `body`. Objects that `body` drops are released at once, since pyo3 takes note that
/// the thread is attached. An [`Attached`] alone bypasses pyo3, which would release such objects later.
pub(crate) fn attach<R>(body: impl FnOnce(Python<'_>) -> Result<R, Fault>) -> Result<R, Fault> {
    let _attached = Attached::enter()?;
    Python::attach(body)
}
