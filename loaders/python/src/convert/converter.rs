//! Values of Python's, made and read. Both follow the plan of a contract, whose classes and names are prepared.

use std::sync::Arc;

use polyplug::engine::{Caller, Fault, Guest};
use polyplug::schema::plan::Body;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::classes::{Fields, Prepared};
use crate::interpreter::Interpreter;
use crate::{exception, thread};

/// Moves the values of one contract's methods.
pub(crate) struct Values<'py, 'a> {
    pub(crate) py: Python<'py>,
    pub(crate) interpreter: &'static Interpreter,
    pub(crate) of: &'a Arc<Prepared>,
    pub(crate) guest: &'a Arc<Guest>,
}

pub(super) type Any<'py> = Bound<'py, PyAny>;

impl<'py> Values<'py, '_> {
    /// What a function of the interpreter's returns: a value, or nothing and an exception.
    #[inline]
    pub(super) fn owned(&self, object: *mut PyObject) -> Result<Any<'py>, Fault> {
        // SAFETY: what these functions return is the caller's, and this thread is attached.
        unsafe { Bound::from_owned_ptr_or_opt(self.py, object) }.ok_or_else(|| self.raised())
    }

    /// The same for functions that return 0, or something else and an exception.
    #[inline]
    pub(super) fn done(&self, outcome: std::ffi::c_int) -> Result<(), Fault> {
        if outcome == 0 { Ok(()) } else { Err(self.raised()) }
    }

    #[cold]
    pub(super) fn raised(&self) -> Fault {
        // pyo3 has to know that this thread is attached, for what it drops.
        Python::attach(|py| exception::to_fault(py, PyErr::fetch(py)))
    }

    /// Whatever exception there is does not matter.
    #[cold]
    pub(super) fn forget(&self) {
        // SAFETY: this thread is attached.
        unsafe { ffi::PyErr_Clear() };
    }

    pub(super) fn fields(&self, body: &Body) -> &Fields {
        &self.of.bodies[body.number]
    }
}

pub(super) fn len(size: ffi::Py_ssize_t) -> usize {
    usize::try_from(size).unwrap_or(0)
}

pub(super) fn size(len: usize) -> ffi::Py_ssize_t {
    ffi::Py_ssize_t::try_from(len).unwrap_or(ffi::Py_ssize_t::MAX)
}

impl Caller for Values<'_, '_> {
    fn outside<R>(&mut self, call: impl FnOnce() -> R) -> R {
        thread::detach(self.py, call)
    }
}

/// How many letters of a value an error shows.
const SHOWN: usize = 100;

/// A value for an error: `str "x"`, `int 5`.
pub(crate) fn describe(value: &Any<'_>) -> String {
    if value.is_none() {
        return "None".to_owned();
    }
    let class = value.get_type();
    let name = class.name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    let shown = match value.cast::<PyString>() {
        Ok(text) if text.to_str().is_err() => return format!("{name} {}, which is no UTF-8", brief(value)),
        Ok(text) => format!("{:?}", text.to_string_lossy()),
        Err(_) => brief(value),
    };
    if shown.is_empty() {
        return format!("an object of {name}");
    }
    format!("{name} {}", cut(shown))
}

/// What Python shows of a value.
fn brief(value: &Any<'_>) -> String {
    cut(value.repr().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned()))
}

fn cut(shown: String) -> String {
    match shown.char_indices().nth(SHOWN) {
        None => shown,
        Some((end, _)) => format!("{}...", &shown[..end]),
    }
}
