//! Who is notified when the bundles of a runtime have changed.

use std::sync::{Mutex, PoisonError};

/// An observer. Returns whether it still exists.
type Observer = Box<dyn Fn() -> bool + Send>;

/// The observers of a runtime. They are notified a last time when this is dropped.
#[derive(Default)]
pub(crate) struct Observers(Mutex<Vec<Observer>>);

impl Observers {
    /// Adds an observer, which is removed once it returns false. It must not wait for anything.
    #[cfg_attr(not(feature = "watch"), allow(dead_code))]
    pub(crate) fn add(&self, observer: impl Fn() -> bool + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(observer));
    }

    /// Notifies every observer that is left.
    pub(crate) fn notify(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|observer| observer());
    }
}

impl Drop for Observers {
    fn drop(&mut self) {
        self.notify();
    }
}
