//! Asynchronous exceptions, which CPython raises in a thread between two instructions of Python code.

use std::ffi::{c_long, c_ulong};
use std::ptr::null_mut;

use pyo3::ffi;
use pyo3::prelude::*;

/// Returns the number by which the interpreter knows this thread.
pub(crate) fn ident() -> c_ulong {
    // SAFETY: CPython allows the call on every thread, attached or not, also before the interpreter is started.
    unsafe { ffi::PyThread_get_thread_ident() }
}

/// Raises an exception in the Python code that a thread runs, or in the next Python code that it will run.
pub(crate) fn interrupt(ident: c_ulong, exception: &Bound<'_, PyAny>) {
    // SAFETY: `exception` proves that this thread is attached. CPython checks the thread's number and the object.
    unsafe { ffi::PyThreadState_SetAsyncExc(to_signed(ident), exception.as_ptr()) };
}

/// Cancels the exception that was to be raised in this thread, if it has not been raised yet.
pub(crate) fn cancel_interrupt(_: Python<'_>) {
    // SAFETY: the argument proves that this thread is attached; null stands for "no exception".
    unsafe { ffi::PyThreadState_SetAsyncExc(to_signed(ident()), null_mut()) };
}

/// Returns a thread's number in the type that pyo3 declares for `PyThreadState_SetAsyncExc`, which is signed.
fn to_signed(ident: c_ulong) -> c_long {
    c_long::from_ne_bytes(ident.to_ne_bytes())
}
