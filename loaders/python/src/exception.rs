//! Exceptions of Python's, on their way out and in.

use std::marker::PhantomData;

use polyplug::CallError;
use polyplug::engine::{Exception, Fault};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi::{self, PyObject};
use pyo3::intern;
use pyo3::prelude::*;

use crate::interpreter::{self, Interpreter};

/// The error of a call that an exception stands for, so that it can leave as what it is.
#[pyclass(frozen)]
struct Carried(CallError);

/// An exception outside of a bundle's code, as a fault.
pub(crate) fn plain(py: Python<'_>, raised: PyErr) -> Fault {
    if let Some(interpreter) = interpreter::running()
        && let Some(fault) = special(py, interpreter, raised.value(py))
    {
        return fault;
    }
    Fault::new(raised)
}

/// An exception that a bundle's code has raised, as a fault. `bundle` is the object that knows its modules.
#[cold]
pub(crate) fn take(py: Python<'_>, interpreter: &Interpreter, bundle: &Py<PyAny>, raised: &PyErr) -> Fault {
    let value = raised.value(py);
    if let Some(fault) = special(py, interpreter, value) {
        return fault;
    }
    // pyo3 keeps it apart.
    if let Some(traceback) = raised.traceback(py) {
        let _ = value.setattr(intern!(py, "__traceback__"), traceback);
    }
    let described = interpreter.prelude.describe.bind(py).call1((value, bundle.bind(py)));
    match described.and_then(|described| described.extract::<(String, Option<String>, Option<String>)>()) {
        Ok((message, location, traceback)) => Exception { message, location, traceback }.into(),
        // An exception that cannot be looked at, or no memory left to do it.
        Err(_) => Fault::new(raised),
    }
}

/// The fault of an exception that is one of the loader's own.
fn special(py: Python<'_>, interpreter: &Interpreter, value: &Bound<'_, PyAny>) -> Option<Fault> {
    let prelude = &interpreter.prelude;
    let is_a = |class: &Py<PyAny>| value.is_instance(class.bind(py)).unwrap_or(false);
    if is_a(&prelude.closing) {
        return Some(Fault::new("the Python interpreter is shutting down, and ended the call"));
    }
    if is_a(&prelude.time_limit) {
        return Some(out_of_time());
    }
    if !is_a(&prelude.call_error) {
        return None;
    }
    let carried = value.getattr(intern!(py, "_carried")).ok()?.cast_into::<Carried>().ok()?;
    let error = &carried.get().0;
    // What the caller's caller can do something about; else it is an exception that nobody has caught.
    matches!(error, CallError::Deadlock(_) | CallError::LimitReached(_)).then(|| error.clone().into())
}

/// A fault as an exception of Python's. A call of somebody else that failed becomes a `CallError`.
pub(crate) fn raise(py: Python<'_>, fault: Fault) -> PyErr {
    match (fault.into_call_error(), interpreter::running()) {
        (Ok(error), Some(interpreter)) => {
            call_error(py, interpreter, error).map_or_else(|failed| failed, PyErr::from_value)
        }
        (Ok(error), None) => PyRuntimeError::new_err(error.to_string()),
        (Err(fault), _) => PyRuntimeError::new_err(fault.to_string()),
    }
}

/// Why somebody to call cannot be had: as a call that fails.
pub(crate) fn unreachable(py: Python<'_>, fault: Fault) -> PyErr {
    let Some(interpreter) = interpreter::running() else { return raise(py, fault) };
    match fault.into_call_error() {
        Ok(error) => raise(py, error.into()),
        Err(fault) => {
            let made = interpreter.prelude.call_error.bind(py).call1((fault.to_string(), "not_found"));
            made.map_or_else(|failed| failed, PyErr::from_value)
        }
    }
}

fn call_error<'py>(py: Python<'py>, interpreter: &Interpreter, error: CallError) -> PyResult<Bound<'py, PyAny>> {
    let class = interpreter.prelude.call_error.bind(py);
    let made = class.call1((error.to_string(), error.kind(), error.method()))?;
    made.setattr(intern!(py, "_carried"), Py::new(py, Carried(error))?)?;
    Ok(made)
}

/// Whether an exception is that of a call whose time is up.
pub(crate) fn is_time_limit(py: Python<'_>, interpreter: &Interpreter, raised: &PyErr) -> bool {
    raised.value(py).is_instance(interpreter.prelude.time_limit.bind(py)).unwrap_or(false)
}

/// The fault of a call whose caller's time is up, and not its own.
pub(crate) fn out_of_time() -> Fault {
    Fault::limit("the time of a call that this one is part of is up")
}

/// The exception that this thread is about to raise, set aside until this is dropped: what ends on the way may run code.
pub(crate) struct Aside<'py> {
    #[cfg(Py_3_12)]
    raised: *mut PyObject,
    #[cfg(not(Py_3_12))]
    raised: [*mut PyObject; 3],
    /// The thread has to be attached at the end.
    _attached: PhantomData<Python<'py>>,
}

/// Sets it aside, if there is one.
pub(crate) fn set_aside(_: Python<'_>) -> Aside<'_> {
    // SAFETY: this thread is attached.
    #[cfg(Py_3_12)]
    let raised = unsafe { ffi::PyErr_GetRaisedException() };
    #[cfg(not(Py_3_12))]
    let raised = {
        let mut raised = [std::ptr::null_mut(); 3];
        let [class, value, traceback] = &mut raised;
        // SAFETY: this thread is attached, and there is room for each.
        unsafe { ffi::PyErr_Fetch(class, value, traceback) };
        raised
    };
    Aside { raised, _attached: PhantomData }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        // SAFETY: this thread is attached; given back once, as it was taken.
        #[cfg(Py_3_12)]
        unsafe {
            ffi::PyErr_SetRaisedException(self.raised);
        }
        #[cfg(not(Py_3_12))]
        let [class, value, traceback] = self.raised;
        // SAFETY: as above.
        #[cfg(not(Py_3_12))]
        unsafe {
            ffi::PyErr_Restore(class, value, traceback);
        }
    }
}
