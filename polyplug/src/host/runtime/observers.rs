//! The observers of changes of a runtime's bundles.

use std::sync::{Mutex, PoisonError};

/// A function to call after a change. It returns whether it is still needed.
type Observer = Box<dyn Fn() -> bool + Send>;

/// The observers of a runtime. Dropping this value notifies them a last time.
#[derive(Default)]
pub(crate) struct Observers(Mutex<Vec<Observer>>);

impl Observers {
    /// Adds an observer, which is removed once it returns `false`. An observer must not block.
    #[cfg_attr(not(feature = "watch"), allow(dead_code))]
    pub(crate) fn add(&self, observer: impl Fn() -> bool + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(observer));
    }

    /// Notifies all observers, and removes those that return `false`.
    pub(crate) fn notify(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|observer| observer());
    }
}

impl Drop for Observers {
    fn drop(&mut self) {
        self.notify();
    }
}
