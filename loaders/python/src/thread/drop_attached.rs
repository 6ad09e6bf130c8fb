//! Dropping of values that own Python objects.

use std::mem::ManuallyDrop;
use std::ops::Deref;

use super::attached::attach;

/// Attaches this thread and drops a value that owns Python objects. While the interpreter shuts down, the objects are
/// left to the interpreter.
pub(crate) fn drop_attached<T>(value: T) {
    let _is_closing = attach(|_| {
        drop(value);
        Ok(())
    });
}

/// An owner of Python objects that is dropped on an attached thread, wherever it is dropped.
pub(crate) struct DropAttached<T>(ManuallyDrop<T>);

impl<T> DropAttached<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(ManuallyDrop::new(value))
    }
}

impl<T> Deref for DropAttached<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Drop for DropAttached<T> {
    fn drop(&mut self) {
        // SAFETY: the value is taken here only, and the field is not used after `drop`.
        drop_attached(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}
