//! `Instant`, on a clock that only waits advance: executions of a model have to be the same each time.

use std::cell::Cell;
use std::ops::Add;
use std::time::Duration;

/// `std::time::Instant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

thread_local! {
    // All threads of a model run on one thread of the system.
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Advances the clock by a wait of `limit`, and some more time, as is allowed: so loops that wait for long end soon.
pub(super) fn pass(limit: Duration) {
    NOW.set(NOW.get() + limit + Duration::from_secs(3));
}

/// Begins an execution.
pub(super) fn reset() {
    NOW.set(Duration::ZERO);
}

impl Instant {
    /// Returns the time after the waits so far.
    #[must_use]
    pub fn now() -> Self {
        Self(NOW.get())
    }

    /// Returns the time from `earlier` to this instant, zero if `earlier` is later.
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0 + later)
    }
}
