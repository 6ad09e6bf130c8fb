//! The converter of one contract's values, and the ways in which CPython's functions report errors.

use std::ffi::c_int;
use std::sync::Arc;

use polyplug::engine::{Caller, Fault, Guest};
use polyplug::schema::plan::Body;
use pyo3::ffi::{self, Py_ssize_t, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::classes::{BodyClass, ContractClasses};
use crate::interpreter::Interpreter;
use crate::{exception, thread};

/// A converter of the values of one contract's methods. `py` proves that the thread is attached.
pub(crate) struct ValueConverter<'py, 'a> {
    pub(crate) py: Python<'py>,
    pub(crate) interpreter: &'static Interpreter,
    pub(crate) classes: &'a Arc<ContractClasses>,
    pub(crate) guest: &'a Arc<Guest>,
}

impl<'py> ValueConverter<'py, '_> {
    /// Returns the object that a function of CPython returned as a new reference; the exception if it returned null.
    ///
    /// # Safety
    ///
    /// `object` must be null, with an exception, or a reference that belongs to the caller.
    #[inline]
    pub(super) unsafe fn owned(&self, object: *mut PyObject) -> Result<Bound<'py, PyAny>, Fault> {
        // SAFETY: the caller's promise is that of this function.
        unsafe { Bound::from_owned_ptr_or_opt(self.py, object) }.ok_or_else(|| self.raised())
    }

    /// Returns the exception of a function of CPython that returned something else than 0.
    #[inline]
    pub(super) fn check(&self, outcome: c_int) -> Result<(), Fault> {
        if outcome == 0 { Ok(()) } else { Err(self.raised()) }
    }

    /// Takes the exception that this thread has raised.
    #[cold]
    pub(super) fn raised(&self) -> Fault {
        exception::fetch(exception::to_fault)
    }

    /// Drops the exception that this thread has raised.
    #[cold]
    pub(super) fn clear_exception(&self) {
        // SAFETY: `self.py` proves that this thread is attached.
        unsafe { ffi::PyErr_Clear() };
    }

    pub(super) fn is_a(&self, value: &Bound<'py, PyAny>, class: &Py<PyType>) -> bool {
        value.get_type().as_ptr() == class.as_ptr() || value.is_instance(class.bind(self.py)).unwrap_or(false)
    }

    /// Returns the value of an attribute; `None` if the object does not have the attribute.
    pub(super) fn attribute(
        &self,
        value: &Bound<'py, PyAny>,
        name: &Bound<'py, PyString>,
    ) -> Result<Option<Bound<'py, PyAny>>, Fault> {
        // SAFETY: `self.py` proves that this thread is attached. The function returns a new reference, or null with an exception.
        let found =
            unsafe { Bound::from_owned_ptr_or_opt(self.py, ffi::PyObject_GetAttr(value.as_ptr(), name.as_ptr())) };
        if found.is_some() {
            return Ok(found);
        }
        // SAFETY: `self.py` proves that this thread is attached. The class of `AttributeError` stays as long as the interpreter.
        if unsafe { ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) } != 0 {
            self.clear_exception();
            return Ok(None);
        }
        Err(self.raised())
    }

    pub(super) fn body_class(&self, body: &Body) -> &BodyClass {
        &self.classes.bodies[body.number]
    }
}

/// Returns a size of CPython's, which is not negative, as a length.
pub(super) fn to_len(size: Py_ssize_t) -> usize {
    usize::try_from(size).unwrap_or(0)
}

/// Returns a length as a size of CPython's.
pub(super) fn to_size(len: usize) -> Py_ssize_t {
    Py_ssize_t::try_from(len).unwrap_or(Py_ssize_t::MAX)
}

impl Caller for ValueConverter<'_, '_> {
    fn without_lock<R>(&mut self, call: impl FnOnce() -> R) -> R {
        thread::detach(self.py, call)
    }
}
