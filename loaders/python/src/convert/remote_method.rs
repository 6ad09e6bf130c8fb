//! The methods of remote objects.

use polyplug::engine::CallOutcome;
use polyplug::schema;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::converter::ValueConverter;
use super::raised_by::note_call;
use super::remote_object::RemoteObject;
use crate::exception;
use crate::interpreter::{self, Interpreter};
use crate::names::python_name;

/// A method of a remote object, as an attribute of the object's class.
#[pyclass(frozen)]
pub(super) struct RemoteMethod {
    number: usize,
    name: String,
    arguments: Vec<String>,
    docs: String,
}

unsafe extern "C" {
    /// Returns a method bound to an instance. Declared in CPython's headers; pyo3 lacks the declaration.
    fn PyMethod_New(function: *mut ffi::PyObject, instance: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

#[pymethods]
impl RemoteMethod {
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: Option<&Bound<'py, PyAny>>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(instance) = instance else { return Ok(slf.clone().into_any()) };
        // SAFETY: the arguments are objects, and prove that this thread is attached. The result is a new reference, or
        // null with an exception.
        unsafe { Bound::from_owned_ptr_or_err(slf.py(), PyMethod_New(slf.as_ptr(), instance.as_ptr())) }
    }

    #[pyo3(signature = (*arguments, **named))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Ok(target) = arguments.get_borrowed_item(0) else {
            return Err(PyTypeError::new_err(format!("{} is called as a method: object.{}(..)", self.name, self.name)));
        };
        let target = target.to_owned();
        let target = target.cast::<RemoteObject>().map_err(|_| {
            PyTypeError::new_err(format!("{} is a method of objects that come from elsewhere", self.name))
        })?;
        let state = target.get().state();
        let mut values: Vec<_> = arguments.iter_borrowed().skip(1).map(|value| value.to_owned()).collect();
        if let Some(named) = named {
            self.add_named(&mut values, named)?;
        }
        let interpreter = interpreter::current();
        let mut converter = ValueConverter { py, interpreter, classes: &state.classes, guest: &state.guest };
        match state.remote().call(&mut converter, self.number, &values) {
            Ok(CallOutcome::Returned(value)) => Ok(value),
            Ok(CallOutcome::Declared(value)) => {
                let raised = declared_error(py, interpreter, value);
                let call = state.declared(self.number);
                note_call(interpreter, raised.value(py).as_any(), &call, &state.classes, &state.guest);
                Err(raised)
            }
            Err(fault) => Err(exception::from_fault(py, fault)),
        }
    }

    #[getter]
    fn __name__(&self) -> &str {
        &self.name
    }

    #[getter]
    fn __doc__(&self) -> &str {
        &self.docs
    }
}

impl RemoteMethod {
    pub(super) fn new(number: usize, method: &schema::Method) -> Self {
        let arguments = method.arguments.iter().map(|argument| python_name(&argument.name)).collect();
        Self { number, name: python_name(&method.name), arguments, docs: method.docs.clone() }
    }

    /// Appends the arguments that were given by name, in the order of the parameters.
    fn add_named<'py>(&self, values: &mut Vec<Bound<'py, PyAny>>, named: &Bound<'py, PyDict>) -> PyResult<()> {
        for name in self.arguments.iter().skip(values.len()) {
            match named.get_item(name)? {
                Some(value) => values.push(value),
                None => break,
            }
        }
        for (key, _) in named.iter() {
            match self.position(&key) {
                None => {
                    let known = self.arguments.join(", ");
                    return Err(PyTypeError::new_err(format!("{}() has no argument `{key}`, only {known}", self.name)));
                }
                Some(position) if position >= values.len() => {
                    let missing = &self.arguments[values.len()];
                    return Err(PyTypeError::new_err(format!("{}() lacks the argument `{missing}`", self.name)));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Returns the position of the parameter with this name.
    fn position(&self, key: &Bound<'_, PyAny>) -> Option<usize> {
        let key = key.cast::<PyString>().ok()?.to_string_lossy();
        self.arguments.iter().position(|name| *name == key)
    }
}

/// Returns the exception that stands for an error which a method declares: the error itself if its class is an
/// exception, else the prelude's `Declared`.
fn declared_error(py: Python<'_>, interpreter: &Interpreter, value: Bound<'_, PyAny>) -> PyErr {
    // SAFETY: the argument is an object, and proves that this thread is attached.
    if unsafe { ffi::PyExceptionInstance_Check(value.as_ptr()) } != 0 {
        return PyErr::from_value(value);
    }
    match interpreter.prelude.declared.bind(py).call1((value,)) {
        Ok(wrapped) => PyErr::from_value(wrapped),
        Err(failed) => failed,
    }
}
