//! Host contracts, peers and objects, as Python sees them: objects with the methods of their contract.

use std::sync::Arc;

use polyplug::engine::{Answer, Fault, Guest, Remote};
use polyplug::schema;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::converter::Values;
use crate::classes::{Prepared, spelled};
use crate::interpreter::{self, Interpreter};
use crate::suspended_exception::suspend_exception;
use crate::{exception, thread};

/// Somebody elsewhere. Each contract has a class of its own that inherits from this and has its methods.
#[pyclass(subclass, frozen, name = "Other")]
pub(crate) struct Other {
    held: Held,
}

struct Held {
    guest: Arc<Guest>,
    of: Arc<Prepared>,
    /// Taken at the end.
    remote: Option<Remote>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let remote = self.remote.take();
        // It may be what kept somebody, whose end takes its time, and may call others; the exception that has ended the
        // code which had this is none of theirs.
        Python::attach(|py| {
            let raised = suspend_exception(py);
            thread::detach(py, || drop(remote));
            drop(raised);
        });
    }
}

/// What an [`Other`] is made of, on its way through the call of its class.
#[pyclass]
struct Making(Option<Held>);

#[pymethods]
impl Other {
    #[new]
    fn new(making: &Bound<'_, PyAny>) -> PyResult<Self> {
        let held = making.cast::<Making>().ok().and_then(|making| making.borrow_mut().0.take());
        let held =
            held.ok_or_else(|| PyTypeError::new_err("these objects come from `host`, `peer` or as arguments"))?;
        Ok(Self { held })
    }

    fn __repr__(&self) -> String {
        self.held.remote.as_ref().map(|remote| format!("<object of {}>", remote.contract())).unwrap_or_default()
    }
}

/// An object with the methods of `remote`.
pub(crate) fn wrap<'py>(
    py: Python<'py>,
    interpreter: &Interpreter,
    guest: &Arc<Guest>,
    of: &Arc<Prepared>,
    remote: Remote,
) -> Result<Bound<'py, PyAny>, Fault> {
    let make = || {
        let class = of.remote_class(py, interpreter, remote.definition())?;
        let held = Held { guest: Arc::clone(guest), of: Arc::clone(of), remote: Some(remote) };
        class.call1((Bound::new(py, Making(Some(held)))?,))
    };
    make().map_err(|raised| exception::to_fault(py, raised))
}

/// The one that a value is, if it is one.
pub(crate) fn of<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a Remote> {
    value.cast::<Other>().ok()?.get().held.remote.as_ref()
}

/// A method of theirs, as an attribute of their class.
#[pyclass(frozen)]
pub(crate) struct Method {
    number: usize,
    name: String,
    arguments: Vec<String>,
    docs: String,
}

unsafe extern "C" {
    /// A method and whose it is. Python's own header has it, and pyo3 has not.
    fn PyMethod_New(function: *mut ffi::PyObject, instance: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

#[pymethods]
impl Method {
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: Option<&Bound<'py, PyAny>>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(instance) = instance else { return Ok(slf.clone().into_any()) };
        // SAFETY: both are objects, and this thread is attached; the result is a new reference, or null with an
        // exception.
        unsafe { Bound::from_owned_ptr_or_err(slf.py(), PyMethod_New(slf.as_ptr(), instance.as_ptr())) }
    }

    #[pyo3(signature = (*arguments, **named))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Ok(first) = arguments.get_borrowed_item(0) else {
            return Err(PyTypeError::new_err(format!("{} is called as a method: object.{}(..)", self.name, self.name)));
        };
        let first = first.to_owned();
        let other = first.cast::<Other>().map_err(|_| {
            PyTypeError::new_err(format!("{} is a method of objects that come from elsewhere", self.name))
        })?;
        let Held { guest, of, remote: Some(remote) } = &other.get().held else {
            return Err(PyTypeError::new_err("the object has ended"));
        };
        let mut values: Vec<_> = arguments.iter_borrowed().skip(1).map(|value| value.to_owned()).collect();
        if let Some(named) = named {
            self.add_named(&mut values, named)?;
        }
        let interpreter = interpreter::running().expect("an object of Python's has an interpreter");
        let mut moving = Values { py, interpreter, of, guest };
        match remote.call(&mut moving, self.number, &values) {
            Ok(Answer::Returned(value)) => Ok(value),
            Ok(Answer::Declared(value)) => Err(declared(py, interpreter, value)),
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

impl Method {
    pub(crate) fn new(number: usize, method: &schema::Method) -> Self {
        let arguments = method.arguments.iter().map(|argument| spelled(&argument.name)).collect();
        Self { number, name: spelled(&method.name), arguments, docs: method.docs.clone() }
    }

    /// Puts arguments that were given by name where they belong.
    fn add_named<'py>(&self, values: &mut Vec<Bound<'py, PyAny>>, named: &Bound<'py, PyDict>) -> PyResult<()> {
        for name in self.arguments.iter().skip(values.len()) {
            match named.get_item(name)? {
                Some(value) => values.push(value),
                None => break,
            }
        }
        let used = |key: &Bound<'_, PyAny>| {
            let text = key.cast::<PyString>().ok().map(|key| key.to_string_lossy().into_owned());
            text.and_then(|text| self.arguments.iter().position(|name| *name == text))
        };
        for (key, _) in named.iter() {
            match used(&key) {
                None => {
                    let known = self.arguments.join(", ");
                    return Err(PyTypeError::new_err(format!("{}() has no argument `{key}`, only {known}", self.name)));
                }
                Some(place) if place >= values.len() => {
                    let missing = &self.arguments[values.len()];
                    return Err(PyTypeError::new_err(format!("{}() lacks the argument `{missing}`", self.name)));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// The exception that raises an error which a method declares.
fn declared(py: Python<'_>, interpreter: &Interpreter, value: Bound<'_, PyAny>) -> PyErr {
    // SAFETY: an object, and this thread is attached.
    if unsafe { ffi::PyExceptionInstance_Check(value.as_ptr()) } != 0 {
        return PyErr::from_value(value);
    }
    match interpreter.prelude.declared.bind(py).call1((value,)) {
        Ok(wrapped) => PyErr::from_value(wrapped),
        Err(failed) => failed,
    }
}
