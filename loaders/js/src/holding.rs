//! Errors of a guest that hold values of the host.

use crate::held::Held;
use crate::js::{Pending, Value};
use crate::state::State;

impl State {
    /// Has an error of the guest hold a value.
    ///
    /// # Errors
    ///
    /// There is no memory.
    pub(crate) fn hold(&self, error: &Value, held: Held) -> Result<(), Pending> {
        let holder = self.js().object_with(&self.js().null(), self.held_class, Box::new(held))?;
        self.js().define_hidden(error, &self.names().held, holder)
    }

    /// Returns an owner of the value that an error holds, which [`held`](Self::held) reads.
    pub(crate) fn holder(&self, error: &Value) -> Option<Value> {
        if !error.is_object() {
            return None;
        }
        match self.js().get(error, &self.names().held) {
            Ok(holder) => Some(holder),
            Err(_) => {
                self.forget_exception();
                None
            }
        }
    }

    /// Returns the value in a holder.
    pub(crate) fn held<'a>(&self, holder: &'a Value) -> Option<&'a Held> {
        // SAFETY: only `hold` makes objects of the class, which own a `Held`.
        unsafe { holder.opaque(self.held_class) }
    }
}
