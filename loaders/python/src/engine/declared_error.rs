//! The exceptions that stand for errors which methods declare.

use polyplug::engine::IncomingCall;
use pyo3::intern;
use pyo3::prelude::*;

use crate::classes::{ContractClasses, DefinitionClass};
use crate::interpreter::Interpreter;

/// Returns the error for which an exception stands, if the method that was called declares that error.
pub(super) fn declared_error<'py>(
    py: Python<'py>,
    interpreter: &Interpreter,
    classes: &ContractClasses,
    call: &IncomingCall<'_>,
    raised: &PyErr,
) -> Option<Bound<'py, PyAny>> {
    let definition = call.declares()?;
    let value = raised.value(py);
    if value.is_instance(interpreter.prelude.declared.bind(py)).unwrap_or(false) {
        // The error of a call has no class if it is a `Declared`, so it is not the one that this method declares by name.
        let is_other = definition.is_some() && is_of_call(py, interpreter, raised);
        return if is_other { None } else { value.getattr(intern!(py, "value")).ok() };
    }
    let definition = definition?;
    let class = classes.class(definition)?.bind(py);
    // The class may be that of another version of the contract.
    let has_same_name = || {
        let mark = intern!(py, "_polyplug_type_");
        value.getattr(mark).ok()?.eq(class.getattr(mark).ok()?).ok()
    };
    if !value.is_instance(class).unwrap_or(false) && !has_same_name().unwrap_or(false) {
        return None;
    }
    if matches!(classes.definitions[definition as usize], DefinitionClass::Enum { .. }) {
        // The member of an enum is one object for all who raise it, and would keep the traceback and its frames.
        for name in [intern!(py, "__traceback__"), intern!(py, "__context__"), intern!(py, "__cause__")] {
            let _ = value.setattr(name, py.None());
        }
    }
    Some(value.clone().into_any())
}

/// Returns whether an exception is the declared error of a call that the bundle has made and whose error nobody has caught.
pub(super) fn is_of_call(py: Python<'_>, interpreter: &Interpreter, raised: &PyErr) -> bool {
    let value = raised.value(py);
    // pyo3 keeps the traceback apart from the exception.
    if let Some(traceback) = raised.traceback(py) {
        let _ = value.setattr(intern!(py, "__traceback__"), traceback);
    }
    interpreter.prelude.message_of_call.bind(py).call1((value,)).is_ok_and(|message| !message.is_none())
}
