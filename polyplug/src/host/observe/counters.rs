//! The counts and latencies of one method.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::{BUCKETS, Histogram, bucket};

/// The counts and latencies of one method, to which any number of threads add.
pub(crate) struct Counters {
    errors: AtomicU64,
    /// The sum of all times, in nanoseconds.
    sum: AtomicU64,
    buckets: Box<[AtomicU64]>,
}

impl Default for Counters {
    fn default() -> Self {
        let buckets = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Self { errors: AtomicU64::new(0), sum: AtomicU64::new(0), buckets }
    }
}

impl Counters {
    /// Adds a call.
    pub(crate) fn add(&self, time: Duration, is_error: bool) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        // The numbers are read for statistics alone: nothing depends on their order.
        self.buckets[bucket(nanos)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(nanos, Ordering::Relaxed);
        if is_error {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the number of calls that failed.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Returns the times of the calls so far.
    pub(crate) fn latency(&self) -> Histogram {
        let counts = self.buckets.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Histogram::new(counts, self.sum.load(Ordering::Relaxed))
    }
}
