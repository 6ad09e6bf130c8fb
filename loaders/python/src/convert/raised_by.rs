//! The account of the declared errors that calls raise as exceptions.

use std::sync::{Arc, Weak};

use polyplug::engine::{DeclaredCall, Guest};
use pyo3::intern;
use pyo3::prelude::*;

use super::converter::ValueConverter;
use crate::classes::ContractClasses;
use crate::interpreter::{self, Interpreter};

/// The call that raised a declared error. It is an attribute of the exception, for the case that the bundle does not
/// catch the exception.
#[pyclass(frozen)]
pub(super) struct RaisedBy {
    call: Call,
    classes: Weak<ContractClasses>,
    guest: Weak<Guest>,
}

/// The call, as an exception refers to it.
enum Call {
    /// The exception's own.
    Own(Arc<DeclaredCall>),
    /// That of the remote object, for the members of enums, which stay longer than a bundle.
    OfRemote(Weak<DeclaredCall>),
}

#[pymethods]
impl RaisedBy {
    /// Returns the message of the error, or `None` if the call is not known any more.
    fn describe(&self, py: Python<'_>, error: &Bound<'_, PyAny>) -> Option<String> {
        let call = match &self.call {
            Call::Own(call) => Arc::clone(call),
            Call::OfRemote(call) => call.upgrade()?,
        };
        let (classes, guest, interpreter) = (self.classes.upgrade()?, self.guest.upgrade()?, interpreter::running()?);
        let is_wrapped = error.is_instance(interpreter.prelude.declared.bind(py)).unwrap_or(false);
        let value = if is_wrapped { error.getattr(intern!(py, "value")).ok()? } else { error.clone() };
        let mut converter = ValueConverter { py, interpreter, classes: &classes, guest: &guest };
        Some(call.describe(&mut converter, &value))
    }

    /// Makes a copy of the exception have nothing in place of this value, which means nothing elsewhere.
    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyAny>, ()) {
        (py.None().into_bound(py).get_type().into_any(), ())
    }
}

/// Notes at an exception which call has raised it.
pub(super) fn note_call(
    interpreter: &Interpreter,
    raised: &Bound<'_, PyAny>,
    call: &Arc<DeclaredCall>,
    classes: &Arc<ContractClasses>,
    guest: &Arc<Guest>,
) {
    let py = raised.py();
    let is_member = raised.is_instance(interpreter.prelude.enum_class.bind(py)).unwrap_or(false);
    let call = if is_member { Call::OfRemote(Arc::downgrade(call)) } else { Call::Own(Arc::clone(call)) };
    let note = Py::new(py, RaisedBy { call, classes: Arc::downgrade(classes), guest: Arc::downgrade(guest) });
    // Without the note the message of the exception is Python's own.
    let _ = note.and_then(|note| raised.setattr(intern!(py, "_polyplug_raised_by_"), note));
}
