//! The limits of a bundle's memory and time, for engines that can enforce them. A resource without a limit costs
//! nothing.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::fault::Fault;
use crate::host::bundle::file::PROGRAM_LIMIT;

/// The limits of a bundle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The memory of the bundle, in bytes.
    pub memory: Option<usize>,
    /// The time of a call, with all calls that it makes in turn.
    pub time: Option<Duration>,
}

impl Limits {
    /// Returns the fault of a bundle that needs more memory than its limit, or than there is.
    #[cold]
    #[must_use]
    pub fn out_of_memory(&self, bundle: &str) -> Fault {
        match self.memory {
            Some(bytes) => Fault::limit(format_args!("bundle `{bundle}` needs more memory than its {bytes} bytes")),
            None => Fault::limit(format_args!("bundle `{bundle}` needs more memory than there is")),
        }
    }

    /// Returns the most bytes that a file of the bundle's program may have, where `used` bytes of the memory are in use.
    #[must_use]
    pub fn program_limit(&self, used: usize) -> u64 {
        let available = self.memory.map_or(u64::MAX, |limit| limit.saturating_sub(used) as u64);
        available.min(PROGRAM_LIMIT)
    }

    /// Returns the fault of a call that takes longer than its limit.
    #[cold]
    #[must_use]
    pub fn out_of_time(&self, bundle: &str) -> Fault {
        let limit = self.time.unwrap_or_default();
        Fault::limit(format_args!("the call of bundle `{bundle}` takes longer than its {limit:?}"))
    }
}

/// The deadline of the call that is running in an engine. A call within that call has the same deadline.
#[derive(Debug, Default)]
pub struct Deadline(Cell<Option<Instant>>);

impl Deadline {
    /// Starts the time of a call. Returns false if the call is within another call, whose deadline then holds.
    pub fn begin(&self, limit: Duration) -> bool {
        if self.0.get().is_some() {
            return false;
        }
        // No deadline is set if the limit is beyond the range of `Instant`.
        self.0.set(Instant::now().checked_add(limit));
        true
    }

    /// Ends the time of the call for which [`begin`](Self::begin) returned true.
    pub fn end(&self) {
        self.0.set(None);
    }

    /// Returns whether the deadline has passed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.get().is_some_and(|deadline| Instant::now() >= deadline)
    }
}
