//! A method of a plugin's class. The method is looked up by its name when the class changes, and not for each call.
//!
//! Methods are looked up on the class, as Python does it for its own special methods. An attribute of the same name on
//! an instance has no effect: the function that was checked when the bundle was loaded is called.

use std::cell::Cell;
use std::ptr::null_mut;

use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::names::interned;

/// A method's name, and the function that was found under it last.
pub(crate) struct PluginMethod {
    name: Py<PyString>,
    cache: MethodCache,
}

/// A function of a class, which is valid as long as the class has not changed.
struct MethodCache {
    /// The class that was searched.
    class: Cell<*mut PyTypeObject>,
    /// The class's version tag, which changes with each change of the class; 0 if the class has none.
    version: Cell<u32>,
    /// The function; null if the attribute is not a plain function.
    function: Cell<*mut PyObject>,
    /// The C function that carries out `function`.
    entry: Cell<Option<ffi::vectorcallfunc>>,
    /// The reference that keeps `function`.
    reference: Cell<Option<Py<PyAny>>>,
}

// SAFETY: the cells are used by attached threads only, as the contracts of `PluginMethod::call` and `find` demand, and
// the interpreter's lock lets one such thread run at a time. Free-threaded builds return from `find` before they use
// the cells.
unsafe impl Sync for MethodCache {}
// SAFETY: Python objects belong to no thread, and the other fields are plain data.
unsafe impl Send for MethodCache {}

unsafe extern "C" {
    /// Returns the attribute that a class has or inherits under a name, as a borrowed reference; null without an
    /// exception if there is none. CPython exports the function without documenting it.
    fn _PyType_Lookup(class: *mut PyTypeObject, name: *mut PyObject) -> *mut PyObject;
}

impl PluginMethod {
    pub(crate) fn new(py: Python<'_>, name: &str) -> Self {
        let cache = MethodCache {
            class: Cell::new(null_mut()),
            version: Cell::new(0),
            function: Cell::new(null_mut()),
            entry: Cell::new(None),
            reference: Cell::new(None),
        };
        Self { name: interned(py, name), cache }
    }

    /// Calls the method on the first of the arguments. Returns a new reference, or null with an exception.
    ///
    /// # Safety
    ///
    /// The thread must be attached. `arguments` must point to `count` objects, at least one, with a place before them
    /// that the callee may overwrite.
    #[inline]
    pub(crate) unsafe fn call(&self, arguments: *mut *mut PyObject, count: usize) -> *mut PyObject {
        // SAFETY: the caller promises what `find`, `call_method` and the vectorcall protocol ask for. `find` returned a
        // reference to `function`, which is released after the call: the class may change during the call.
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

    /// Returns the plain function that is the method of an object's class, as a new reference, and its entry; `None` if
    /// the method is something else.
    ///
    /// # Safety
    ///
    /// The thread must be attached, and `object` must be an object.
    #[inline]
    unsafe fn find(&self, object: *mut PyObject) -> Option<(*mut PyObject, ffi::vectorcallfunc)> {
        // The cells would need synchronisation where attached threads run at the same time.
        if cfg!(Py_GIL_DISABLED) {
            return None;
        }
        // SAFETY: the caller promises an attached thread and an object, which keeps its class. `reference` keeps the
        // cached function.
        unsafe {
            let class = ffi::Py_TYPE(object);
            let version = version_tag(class);
            if version != 0 && version == self.cache.version.get() && class == self.cache.class.get() {
                let function = self.cache.function.get();
                let entry = self.cache.entry.get()?;
                ffi::Py_INCREF(function);
                return Some((function, entry));
            }
            self.look_up(class)
        }
    }

    /// Looks the method up by its name and caches the outcome. Returns the same as [`find`](Self::find).
    ///
    /// # Safety
    ///
    /// The thread must be attached, and `class` must be a class.
    #[cold]
    unsafe fn look_up(&self, class: *mut PyTypeObject) -> Option<(*mut PyObject, ffi::vectorcallfunc)> {
        // SAFETY: the caller promises an attached thread and a class. The borrowed function stays until the class
        // changes, which no code does before `reference` keeps the function.
        unsafe {
            let found = _PyType_Lookup(class, self.name.as_ptr());
            let is_function = !found.is_null() && ffi::PyFunction_Check(found) != 0;
            let function = if is_function { found } else { null_mut() };
            let entry = if is_function { ffi::PyVectorcall_Function(function) } else { None };
            // The class has a version tag only after the look-up.
            self.cache.version.set(version_tag(class));
            self.cache.class.set(class);
            self.cache.function.set(function);
            self.cache.entry.set(entry);
            let py = Python::assume_attached();
            let old = self.cache.reference.replace(Bound::from_borrowed_ptr_or_opt(py, function).map(Bound::unbind));
            let found = entry.map(|entry| {
                ffi::Py_INCREF(function);
                (function, entry)
            });
            // Dropped last: the end of the old function may run code that calls this method on another class.
            if let Some(old) = old {
                old.drop_ref(py);
            }
            found
        }
    }
}

/// Calls a method by its name on the first of the arguments. Returns a new reference, or null with an exception.
///
/// # Safety
///
/// The thread must be attached, and `name` must be a `str`. `arguments` must point to `count` objects, at least one,
/// with a place before them that the callee may overwrite.
#[inline]
pub(crate) unsafe fn call_method(name: *mut PyObject, arguments: *mut *mut PyObject, count: usize) -> *mut PyObject {
    let flags = count | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
    // SAFETY: the caller promises what the vectorcall protocol asks for.
    unsafe { ffi::PyObject_VectorcallMethod(name, arguments, flags, null_mut()) }
}

/// Returns the version tag of a class; 0 if the class has none.
///
/// # Safety
///
/// The thread must be attached, and `class` must be a class.
#[inline]
unsafe fn version_tag(class: *mut PyTypeObject) -> u32 {
    // SAFETY: the caller promises a class, whose fields attached threads may read.
    unsafe {
        // Before Python 3.11, a class that changed kept its tag and lost this flag.
        #[cfg(not(Py_3_11))]
        if (*class).tp_flags & VALID_VERSION_TAG == 0 {
            return 0;
        }
        (*class).tp_version_tag
    }
}

/// The flag `Py_TPFLAGS_VALID_VERSION_TAG`.
#[cfg(not(Py_3_11))]
const VALID_VERSION_TAG: std::ffi::c_ulong = 1 << 19;
