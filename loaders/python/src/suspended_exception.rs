//! A raised exception that is suspended while other code runs.

use std::marker::PhantomData;

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

/// The exception that this thread was raising, or none. The exception is raised again when this is dropped.
pub(crate) struct SuspendedException<'py> {
    #[cfg(Py_3_12)]
    raised: *mut PyObject,
    #[cfg(not(Py_3_12))]
    raised: [*mut PyObject; 3],
    /// The proof that the thread is attached when the exception is raised again.
    _attached: PhantomData<Python<'py>>,
}

/// Suspends the exception that this thread is raising, if there is one. Destructors that run on the way of an exception
/// need this before they run Python code.
pub(crate) fn suspend_exception(_: Python<'_>) -> SuspendedException<'_> {
    // SAFETY: the argument proves that this thread is attached. The call returns null or a reference that is given back
    // in `drop`.
    #[cfg(Py_3_12)]
    let raised = unsafe { ffi::PyErr_GetRaisedException() };
    #[cfg(not(Py_3_12))]
    let raised = {
        let mut raised = [std::ptr::null_mut(); 3];
        let [class, value, traceback] = &mut raised;
        // SAFETY: the argument proves that this thread is attached. The call writes null or references, which are given
        // back in `drop`, to the three places.
        unsafe { ffi::PyErr_Fetch(class, value, traceback) };
        raised
    };
    SuspendedException { raised, _attached: PhantomData }
}

impl Drop for SuspendedException<'_> {
    fn drop(&mut self) {
        // SAFETY: `_attached` proves that this thread is attached. The call takes the reference from
        // `suspend_exception`, once.
        #[cfg(Py_3_12)]
        unsafe {
            ffi::PyErr_SetRaisedException(self.raised);
        }
        #[cfg(not(Py_3_12))]
        let [class, value, traceback] = self.raised;
        // SAFETY: `_attached` proves that this thread is attached. The call takes the references from
        // `suspend_exception`, once.
        #[cfg(not(Py_3_12))]
        unsafe {
            ffi::PyErr_Restore(class, value, traceback);
        }
    }
}
