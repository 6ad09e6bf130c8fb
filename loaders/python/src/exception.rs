//! Python exceptions as faults, and faults as Python exceptions.

use polyplug::CallError;
use polyplug::engine::{Exception, Fault};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::interpreter::{self, Interpreter};

/// The error of a call from which a Python `CallError` was made. It is an attribute of the exception, so that an
/// exception that leaves Python can become the same error again.
#[pyclass(frozen)]
struct OriginalCallError(CallError);

/// Takes the exception that this thread, which is attached, has raised, and calls `body` with it. Objects that `body`
/// drops are released at once, since pyo3 takes note that the thread is attached.
#[cold]
pub(crate) fn fetch<R>(body: impl FnOnce(Python<'_>, PyErr) -> R) -> R {
    Python::attach(|py| body(py, PyErr::fetch(py)))
}

/// Returns an exception that no bundle's code has raised as a fault.
pub(crate) fn to_fault(py: Python<'_>, raised: PyErr) -> Fault {
    if let Some(interpreter) = interpreter::running()
        && let Some(fault) = own_fault(py, interpreter, raised.value(py))
    {
        return fault;
    }
    Fault::new(raised)
}

/// Returns an exception that a bundle's code has raised as a fault with message, place and traceback. `bundle` is the
/// prelude's object for the bundle.
#[cold]
pub(crate) fn to_bundle_fault(py: Python<'_>, interpreter: &Interpreter, bundle: &Py<PyAny>, raised: &PyErr) -> Fault {
    let value = raised.value(py);
    if let Some(fault) = own_fault(py, interpreter, value) {
        return fault;
    }
    // pyo3 keeps the traceback apart from the exception.
    if let Some(traceback) = raised.traceback(py) {
        let _ = value.setattr(intern!(py, "__traceback__"), traceback);
    }
    let described = interpreter.prelude.describe_exception.bind(py).call1((value, bundle.bind(py)));
    match described.and_then(|described| described.extract::<(String, Option<String>, Option<String>)>()) {
        Ok((message, location, traceback)) => Exception { message, location, traceback }.into(),
        // The exception's own methods fail, or memory is short.
        Err(_) => Fault::new(raised),
    }
}

/// Returns the fault of an exception whose class is one of the loader's own; `None` for other exceptions, and for a
/// `CallError` that the bundle has not caught and its caller can do nothing about.
fn own_fault(py: Python<'_>, interpreter: &Interpreter, value: &Bound<'_, PyAny>) -> Option<Fault> {
    let prelude = &interpreter.prelude;
    let is_a = |class: &Py<PyAny>| value.is_instance(class.bind(py)).unwrap_or(false);
    if is_a(&prelude.closing) {
        return Some(Fault::new("the Python interpreter is shutting down, and ended the call"));
    }
    if is_a(&prelude.time_limit) {
        return Some(caller_timed_out());
    }
    if !is_a(&prelude.call_error) {
        return None;
    }
    let original = value.getattr(intern!(py, "_original")).ok()?.cast_into::<OriginalCallError>().ok()?;
    let error = &original.get().0;
    matches!(error, CallError::Deadlock(_) | CallError::LimitReached(_)).then(|| error.clone().into())
}

/// Returns a fault as a Python exception: a `CallError` if a call failed, else a `RuntimeError`.
pub(crate) fn from_fault(py: Python<'_>, fault: Fault) -> PyErr {
    match (fault.into_call_error(), interpreter::running()) {
        (Ok(error), Some(interpreter)) => {
            call_error(py, interpreter, error).map_or_else(|failed| failed, PyErr::from_value)
        }
        (Ok(error), None) => PyRuntimeError::new_err(error.to_string()),
        (Err(fault), _) => PyRuntimeError::new_err(fault.to_string()),
    }
}

/// Returns the reason why a host contract or peer cannot be had as a `CallError`, of kind `not_found` unless a call
/// failed.
pub(crate) fn not_found(py: Python<'_>, fault: Fault) -> PyErr {
    let Some(interpreter) = interpreter::running() else { return from_fault(py, fault) };
    match fault.into_call_error() {
        Ok(error) => from_fault(py, error.into()),
        Err(fault) => {
            let made = interpreter.prelude.call_error.bind(py).call1((fault.to_string(), "not_found"));
            made.map_or_else(|failed| failed, PyErr::from_value)
        }
    }
}

/// Makes the Python `CallError` for an error.
fn call_error<'py>(py: Python<'py>, interpreter: &Interpreter, error: CallError) -> PyResult<Bound<'py, PyAny>> {
    let class = interpreter.prelude.call_error.bind(py);
    let made = class.call1((
        error.to_string(),
        error.kind(),
        error.method(),
        error.bundle(),
        error.contract(),
        error.failure().location.as_deref(),
    ))?;
    made.setattr(intern!(py, "_original"), Py::new(py, OriginalCallError(error))?)?;
    Ok(made)
}

/// Returns whether an exception is the one that interrupts calls whose time is up.
pub(crate) fn is_time_limit(py: Python<'_>, interpreter: &Interpreter, raised: &PyErr) -> bool {
    raised.value(py).is_instance(interpreter.prelude.time_limit.bind(py)).unwrap_or(false)
}

/// Returns the fault of a call that was interrupted because the time of its caller is up, and not its own.
pub(crate) fn caller_timed_out() -> Fault {
    Fault::limit("the time of a call that this one is part of is up")
}
