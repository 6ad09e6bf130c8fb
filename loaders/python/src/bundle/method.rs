//! A method of a plugin's class, found by its name when the class changes, and not for each call.
//!
//! As Python does for its own special methods, methods are looked up on the class. What an instance has in an attribute of
//! the same name does not count; what was checked when the bundle was loaded is what is called.

use std::cell::Cell;
use std::ptr::null_mut;

use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A method's name, and the function that has it.
pub(crate) struct Method {
    name: Py<PyString>,
    /// What was found last.
    found: Found,
}

/// A function of a class, as long as the class has not changed.
struct Found {
    class: Cell<*mut PyTypeObject>,
    /// The class's number, which is another one after each change. 0: it has none.
    version: Cell<u32>,
    /// Null if what was found is no plain function.
    function: Cell<*mut PyObject>,
    /// What carries it out.
    entry: Cell<Option<ffi::vectorcallfunc>>,
    /// What keeps it.
    kept: Cell<Option<Py<PyAny>>>,
}

// SAFETY: its fields are used by threads that are attached, which is one at a time; free-threaded builds do not use it.
unsafe impl Sync for Found {}
// SAFETY: as for `Sync`; objects belong to no thread.
unsafe impl Send for Found {}

unsafe extern "C" {
    /// What a class has under a name, itself or from those it inherits from: a borrowed reference, or null without an
    /// exception. Part of CPython's interface for those who call methods, without being promised.
    fn _PyType_Lookup(class: *mut PyTypeObject, name: *mut PyObject) -> *mut PyObject;
}

impl Method {
    pub(crate) fn new(py: Python<'_>, name: &str) -> Self {
        let found = Found {
            class: Cell::new(null_mut()),
            version: Cell::new(0),
            function: Cell::new(null_mut()),
            entry: Cell::new(None),
            kept: Cell::new(None),
        };
        Self { name: PyString::intern(py, name).unbind(), found }
    }

    /// Calls it on the first of the arguments.
    ///
    /// # Safety
    ///
    /// The thread must be attached, and the arguments be objects, as many as that, with a place before them that is the
    /// function's to use.
    #[inline]
    pub(crate) unsafe fn call(&self, arguments: *mut *mut PyObject, count: usize) -> *mut PyObject {
        // SAFETY: the caller's promise. The function has a reference more during the call, in which the class may change.
        unsafe {
            let Some((function, entry)) = self.find((*arguments).cast()) else {
                return call_method(self.name.as_ptr(), arguments, count);
            };
            let flags = count | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
            let result = entry(function, arguments, flags, null_mut());
            ffi::Py_DECREF(function);
            result
        }
    }

    /// Finds the plain function that is the method of an object's class: a new reference, and what carries it out.
    ///
    /// # Safety
    ///
    /// The thread must be attached.
    #[inline]
    unsafe fn find(&self, object: *mut PyObject) -> Option<(*mut PyObject, ffi::vectorcallfunc)> {
        // Threads that run at the same time would need more than this.
        if cfg!(Py_GIL_DISABLED) {
            return None;
        }
        // SAFETY: the caller's promise; the class lives as long as its object, and keeps the function while it has not
        // changed.
        unsafe {
            let class = ffi::Py_TYPE(object);
            let version = version(class);
            if version != 0 && version == self.found.version.get() && class == self.found.class.get() {
                let function = self.found.function.get();
                let entry = self.found.entry.get()?;
                ffi::Py_INCREF(function);
                return Some((function, entry));
            }
            self.look_up(class)
        }
    }

    /// # Safety
    ///
    /// The thread must be attached.
    #[cold]
    unsafe fn look_up(&self, class: *mut PyTypeObject) -> Option<(*mut PyObject, ffi::vectorcallfunc)> {
        // SAFETY: the caller's promise.
        unsafe {
            let found = _PyType_Lookup(class, self.name.as_ptr());
            let is_function = !found.is_null() && ffi::PyFunction_Check(found) != 0;
            let function = if is_function { found } else { null_mut() };
            let entry = if is_function { ffi::PyVectorcall_Function(function) } else { None };
            // The look-up gives the class its number.
            self.found.version.set(version(class));
            self.found.class.set(class);
            self.found.function.set(function);
            self.found.entry.set(entry);
            let py = Python::assume_attached();
            let before = self.found.kept.replace(Bound::from_borrowed_ptr_or_opt(py, function).map(Bound::unbind));
            let found = entry.map(|entry| {
                ffi::Py_INCREF(function);
                (function, entry)
            });
            // Its end may run code, which may call the method, of another class as well.
            if let Some(before) = before {
                before.drop_ref(py);
            }
            found
        }
    }
}

/// Calls a method by its name on the first of the arguments.
///
/// # Safety
///
/// The thread must be attached, and the arguments objects, as many as that, with one more place before them.
#[inline]
pub(crate) unsafe fn call_method(name: *mut PyObject, arguments: *mut *mut PyObject, count: usize) -> *mut PyObject {
    let flags = count | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
    // SAFETY: the caller's promise.
    unsafe { ffi::PyObject_VectorcallMethod(name, arguments, flags, null_mut()) }
}

/// The number of a class; 0 if it has none.
///
/// # Safety
///
/// The thread must be attached.
#[inline]
unsafe fn version(class: *mut PyTypeObject) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        // Earlier, a class kept its number when it changed, and lost this flag.
        #[cfg(not(Py_3_11))]
        if (*class).tp_flags & VALID_VERSION == 0 {
            return 0;
        }
        (*class).tp_version_tag
    }
}

/// `Py_TPFLAGS_VALID_VERSION_TAG`.
#[cfg(not(Py_3_11))]
const VALID_VERSION: std::ffi::c_ulong = 1 << 19;
