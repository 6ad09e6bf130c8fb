//! The calls that a fake records.

use std::sync::{Arc, Mutex, PoisonError};

/// A list of the calls that a fake received. Clones share the list: one clone is in the fake, another in the test.
///
/// ```
/// let calls = polyplug::testing::Calls::default();
/// calls.clone().push("first");
/// assert_eq!(calls.take(), ["first"]);
/// assert!(calls.take().is_empty());
/// ```
#[derive(Debug)]
pub struct Calls<T>(Arc<Mutex<Vec<T>>>);

impl<T> Calls<T> {
    /// Adds `call` to the list.
    pub fn push(&self, call: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// Takes the calls that were added since the last `take`, in order.
    #[must_use]
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Clone for Calls<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Calls<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
