//! What a bundle may use up, for engines that can tell. What is not limited costs nothing.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::fault::Fault;

/// What a bundle may use up at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Memory, in bytes.
    pub memory: Option<usize>,
    /// The time that a call may take, with all that it calls in turn.
    pub time: Option<Duration>,
}

impl Limits {
    /// The fault of a bundle that needs more memory than it may have, or than there is.
    #[cold]
    #[must_use]
    pub fn out_of_memory(&self, bundle: &str) -> Fault {
        match self.memory {
            Some(bytes) => Fault::limit(format_args!("bundle `{bundle}` needs more memory than its {bytes} bytes")),
            None => Fault::limit(format_args!("bundle `{bundle}` needs more memory than there is")),
        }
    }

    /// The fault of a call that takes longer than it may.
    #[cold]
    #[must_use]
    pub fn out_of_time(&self, bundle: &str) -> Fault {
        let limit = self.time.unwrap_or_default();
        Fault::limit(format_args!("the call of bundle `{bundle}` takes longer than its {limit:?}"))
    }
}

/// When the call that is running in an engine has to be over. A call within it has what is left of its time.
#[derive(Debug, Default)]
pub struct Deadline(Cell<Option<Instant>>);

impl Deadline {
    /// Starts the time of a call; false if it is one within another.
    pub fn begin(&self, limit: Duration) -> bool {
        if self.0.get().is_some() {
            return false;
        }
        // A limit beyond what clocks can say is none.
        self.0.set(Instant::now().checked_add(limit));
        true
    }

    /// The call for which [`begin`](Self::begin) said true is over.
    pub fn end(&self) {
        self.0.set(None);
    }

    /// Whether the time is up.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.get().is_some_and(|deadline| Instant::now() >= deadline)
    }
}
