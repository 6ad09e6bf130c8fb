//! A call from its arguments to its result.

use std::sync::Arc;

use polyplug::engine::{Fault, IncomingCall};
use pyo3::ffi::PyObject;
use pyo3::prelude::*;

use super::arguments::{Arguments, EXTRA_PLACES, Place};
use super::declared_error::{declared_error, is_of_call};
use crate::bundle::PythonEngine;
use crate::classes::ContractClasses;
use crate::convert::ValueConverter;
use crate::exception;
use crate::thread::Attached;
use crate::time_limit::CallTimer;

/// The number of arguments up to which a call needs no memory on the heap.
const MAX_INLINE: usize = 6;

impl PythonEngine {
    /// Carries out a call. `invoke` gets the address of `target` and the arguments, and their number; a place before
    /// them may be overwritten. It returns a new reference, or null with an exception.
    #[inline]
    pub(super) fn carry_out(
        &self,
        classes: &Arc<ContractClasses>,
        target: *mut PyObject,
        call: &IncomingCall<'_>,
        invoke: impl FnOnce(*mut *mut PyObject, usize) -> *mut PyObject,
    ) -> Result<(), Fault> {
        let attached = Attached::enter()?;
        let timer = self.modules.start_timer()?;
        let py = attached.py();
        let mut converter = self.converter(py, classes);
        let mut inline = [Place::uninit(); MAX_INLINE + EXTRA_PLACES];
        let mut heap = Vec::new();
        let places = if call.arguments() <= MAX_INLINE {
            &mut inline[..]
        } else {
            heap.resize(call.arguments() + EXTRA_PLACES, Place::uninit());
            &mut heap[..]
        };
        let mut arguments = Arguments::new(places, target);
        call.each_argument(&mut converter, |argument| arguments.push(argument))?;
        let result = invoke(arguments.start(), call.arguments() + 1);
        // SAFETY: `invoke` returns a new reference, or null with an exception.
        match unsafe { Bound::from_owned_ptr_or_opt(py, result) } {
            Some(result) => {
                let given = call.set_result(&mut converter, &result);
                given.map_err(|fault| self.modules.result_fault(timer.as_ref(), fault))
            }
            None => self.give_exception(classes, call, timer.as_ref()),
        }
    }

    /// Ends a call with the exception that this thread has raised: with an error that the method declares, or a fault.
    #[cold]
    fn give_exception(
        &self,
        classes: &Arc<ContractClasses>,
        call: &IncomingCall<'_>,
        timer: Option<&CallTimer>,
    ) -> Result<(), Fault> {
        let interpreter = self.modules.interpreter;
        exception::fetch(|py, raised| {
            let Some(error) = declared_error(py, interpreter, classes, call, &raised) else {
                return Err(self.modules.fault(py, timer, &raised));
            };
            call.set_error(&mut self.converter(py, classes), &error).map_err(|fault| {
                // The error of a call whose method declares errors of another type.
                let is_other = !timer.is_some_and(CallTimer::is_expired) && is_of_call(py, interpreter, &raised);
                if is_other { self.modules.fault(py, timer, &raised) } else { self.modules.result_fault(timer, fault) }
            })
        })
    }

    fn converter<'py, 'a>(&'a self, py: Python<'py>, classes: &'a Arc<ContractClasses>) -> ValueConverter<'py, 'a> {
        ValueConverter { py, interpreter: self.modules.interpreter, classes, guest: &self.modules.guest }
    }
}
