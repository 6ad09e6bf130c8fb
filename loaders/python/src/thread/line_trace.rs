//! An exception that is raised at each line of the bundles' code which a thread runs, until the thread is told to stop.
//!
//! An asynchronous exception is raised once, and a loop whose body catches it goes on. CPython calls the trace function
//! of a thread before each line, and an exception of the trace function is raised there: also in the handler that has
//! just caught the one before.

use std::cell::Cell;
use std::ffi::c_int;
use std::ptr::null_mut;

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi::{self, PyFrameObject, PyObject};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// The beginning of the names of the bundles' modules.
const PREFIX: &str = "_polyplug_";

thread_local! {
    /// The mark that says that this thread has the trace function of this file.
    static IS_TRACED: Cell<bool> = const { Cell::new(false) };
}

/// Raises an exception at each line of the bundles' code that this thread runs from now on. Other code, such as that of
/// the standard library, keeps its locks and files in order, and runs until it returns to a bundle's.
pub(crate) fn raise_at_each_line(exception: &Bound<'_, PyAny>) {
    IS_TRACED.set(true);
    // SAFETY: `exception` proves that this thread is attached. CPython keeps a reference to the object.
    unsafe { ffi::PyEval_SetTrace(Some(raise), exception.as_ptr()) };
}

/// Stops what [`raise_at_each_line`] has begun on this thread. A trace function that the thread had before, such as a
/// debugger's, is not set again.
pub(crate) fn stop_raising(_: Python<'_>) {
    if IS_TRACED.replace(false) {
        // SAFETY: the argument proves that this thread is attached.
        unsafe { ffi::PyEval_SetTrace(None, null_mut()) };
    }
}

/// Returns whether [`raise_at_each_line`] is in effect on this thread.
pub(crate) fn is_raising() -> bool {
    IS_TRACED.get()
}

/// Raises the exception `object` if the event is a line of a bundle's code.
unsafe extern "C" fn raise(object: *mut PyObject, frame: *mut PyFrameObject, event: c_int, _: *mut PyObject) -> c_int {
    if event != ffi::PyTrace_LINE {
        return 0;
    }
    // SAFETY: CPython calls trace functions on attached threads, with the frame that runs and the object that
    // `raise_at_each_line` passed on.
    unsafe {
        let py = Python::assume_attached();
        let frame = Bound::from_borrowed_ptr(py, frame.cast());
        if !is_bundle_code(&frame).unwrap_or(true) {
            return 0;
        }
        ffi::PyErr_SetNone(object);
    }
    -1
}

/// Returns whether a frame runs the code of a bundle, or code without a module, which `exec` runs.
fn is_bundle_code(frame: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = frame.py();
    let globals = frame.getattr(intern!(py, "f_globals"))?.cast_into::<PyDict>().map_err(wrong)?;
    let Some(name) = globals.get_item(intern!(py, "__name__"))? else { return Ok(true) };
    Ok(name.cast_into::<PyString>().map_err(wrong)?.to_str()?.starts_with(PREFIX))
}

/// Returns an exception for a value of an unexpected type, whose text is never shown.
fn wrong<E>(_: E) -> PyErr {
    PyRuntimeError::new_err(())
}
