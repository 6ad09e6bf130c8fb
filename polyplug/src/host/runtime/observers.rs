//! Telling watchers that the runtime's bundles are others than before.

use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use crate::host::watch::worker::Signal;

/// The watchers of a runtime. When this goes they are told for the last time.
#[derive(Default)]
pub(crate) struct Bells(Mutex<Vec<Sender<Signal>>>);

impl Bells {
    pub(crate) fn add(&self, bell: Sender<Signal>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bell);
    }

    /// Tells every watcher that is left. Waits for nobody.
    pub(crate) fn ring(&self) {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.retain(|bell| bell.send(Signal::Bundles).is_ok());
    }
}

impl Drop for Bells {
    fn drop(&mut self) {
        self.ring();
    }
}
