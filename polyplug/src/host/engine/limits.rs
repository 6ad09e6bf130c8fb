//! The limits of a bundle's memory and time, for engines that can enforce them. A resource without a limit costs
//! nothing.

use std::cell::Cell;
use std::num::NonZero;
use std::time::Duration;

use super::clock;
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
///
/// The deadline of a limit of 100 ms or more may be 10 ms later, as such a call begins by a clock that costs less.
#[derive(Debug, Default)]
pub struct Deadline(Cell<Option<NonZero<u64>>>);

/// The limits from which on the time of a call begins by the [coarse clock](clock::coarse).
const LONG: Duration = Duration::from_millis(100);

impl Deadline {
    /// Starts the time of a call. Returns false if the call is within another call, whose deadline then holds.
    pub fn begin(&self, limit: Duration) -> bool {
        if self.0.get().is_some() {
            return false;
        }
        let begin = if limit >= LONG { clock::coarse() } else { clock::now() };
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        self.0.set(Some(begin.saturating_add(limit)));
        true
    }

    /// Ends the time of the call for which [`begin`](Self::begin) returned true.
    pub fn end(&self) {
        self.0.set(None);
    }

    /// Returns whether the deadline has passed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.get().is_some_and(|deadline| clock::now() >= deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_not_before_the_limit() {
        for limit in [Duration::from_millis(5), LONG, LONG + Duration::from_millis(3)] {
            let deadline = Deadline::default();
            let begun = std::time::Instant::now();
            assert!(deadline.begin(limit) && !deadline.begin(Duration::ZERO));
            while !deadline.is_over() {
                assert!(begun.elapsed() < Duration::from_secs(60));
            }
            assert!(begun.elapsed() >= limit);
            deadline.end();
            assert!(!deadline.is_over());
        }
    }

    #[test]
    fn no_limit_is_too_long() {
        let deadline = Deadline::default();
        assert!(deadline.begin(Duration::MAX));
        assert!(!deadline.is_over());
    }
}
