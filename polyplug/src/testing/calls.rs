//! What a fake remembers.

use std::sync::{Arc, Mutex, PoisonError};

/// A list of what a fake was called with. Clones share it: one is in the fake, and one stays with the test.
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
    /// Adds to the list.
    pub fn push(&self, call: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// What was added since it was last asked, in order.
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
