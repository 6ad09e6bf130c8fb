//! Values of a contract in a VM.

use std::rc::Rc;

use polyplug::engine::{Caller, Fault};

use crate::js::{Js, Pending, Value};
use crate::prepared::Prepared;
use crate::state::State;

/// A VM, for values of the types of one contract.
pub(crate) struct Values<'a> {
    pub(crate) js: Js,
    pub(crate) state: &'a State,
    pub(crate) prepared: &'a Rc<Prepared>,
}

impl<'a> Values<'a> {
    #[inline]
    pub(crate) fn new(state: &'a State, prepared: &'a Rc<Prepared>) -> Self {
        Self { js: state.js(), state, prepared }
    }

    /// Returns the fault of an exception.
    #[cold]
    pub(crate) fn fault(&self, pending: Pending) -> Fault {
        self.state.fault(pending)
    }

    /// Reads a field of an object that stands for a case or a result.
    pub(crate) fn part(&self, object: &Value, name: &crate::js::Atom) -> Result<Value, Fault> {
        self.js.get(object, name).map_err(|pending| self.fault(pending))
    }
}

impl Caller for Values<'_> {}
