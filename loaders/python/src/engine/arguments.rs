//! The arguments of a call, as CPython's vectorcall protocol takes them.

use std::mem::MaybeUninit;

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

/// A place for a reference.
pub(super) type Place = MaybeUninit<*mut PyObject>;

/// The number of places that a call needs beside those of its arguments.
pub(super) const EXTRA_PLACES: usize = 2;

/// The arguments of a call: a place that the callee may overwrite, the object that the method is called on, which is
/// borrowed, and the arguments, which are owned.
pub(super) struct Arguments<'a> {
    places: &'a mut [Place],
    /// The number of arguments so far.
    count: usize,
}

impl<'a> Arguments<'a> {
    /// Starts the arguments of a call on `target`. `places` has [`EXTRA_PLACES`] more places than there will be
    /// arguments.
    #[inline]
    pub(super) fn new(places: &'a mut [Place], target: *mut PyObject) -> Self {
        places[1].write(target);
        Self { places, count: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, argument: Bound<'_, PyAny>) {
        self.places[EXTRA_PLACES + self.count].write(argument.into_ptr());
        self.count += 1;
    }

    /// Returns the address of the target, which the arguments follow.
    #[inline]
    pub(super) fn start(&mut self) -> *mut *mut PyObject {
        self.places[1..].as_mut_ptr().cast()
    }
}

impl Drop for Arguments<'_> {
    #[inline]
    fn drop(&mut self) {
        for argument in &self.places[EXTRA_PLACES..EXTRA_PLACES + self.count] {
            // SAFETY: `push` wrote a reference that it owned to each of these places. The thread is attached: `push`
            // took a `Bound`, and the caller drops this before its own guard.
            unsafe { ffi::Py_DECREF(argument.assume_init()) };
        }
    }
}
