//! The distribution of the times that calls take.

use std::fmt;
use std::time::Duration;

/// The number of buckets in which a time doubles.
const PARTS: u32 = 8;

/// The number of buckets. The last one has all times above 2^40 nanoseconds, which is 18 minutes.
pub(crate) const BUCKETS: usize = bucket(1 << 40) + 1;

/// Returns the bucket of a time. Times below 16 ns have a bucket each. Above, 8 buckets make the way to twice the time, so
/// that the bounds of a bucket differ by an eighth of its time at most.
pub(crate) const fn bucket(nanos: u64) -> usize {
    if nanos < 2 * PARTS as u64 {
        return nanos as usize;
    }
    let nanos = if nanos > 1 << 40 { 1 << 40 } else { nanos };
    let power = nanos.ilog2();
    let part = (nanos >> (power - PARTS.ilog2())) - PARTS as u64;
    ((power - PARTS.ilog2()) * PARTS) as usize + PARTS as usize + part as usize
}

/// Returns the least time of a bucket.
fn least(bucket: usize) -> u64 {
    let parts = PARTS as usize;
    if bucket < 2 * parts {
        return bucket as u64;
    }
    let (power, part) = (bucket / parts - 1, bucket % parts);
    ((parts + part) as u64) << power
}

/// The distribution of the times that calls took. The times are exact to an eighth.
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram {
    /// The number of calls in each bucket.
    counts: Box<[u64]>,
    /// The sum of all times, in nanoseconds.
    sum: u64,
}

impl Histogram {
    pub(crate) fn new(counts: Box<[u64]>, sum: u64) -> Self {
        Self { counts, sum }
    }

    /// Returns the number of calls.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the time of all calls together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// Returns the mean time of a call, or zero if there were no calls.
    #[must_use]
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.sum.checked_div(self.count()).unwrap_or_default())
    }

    /// Returns the time that `percent` of the calls did not exceed, or zero if there were no calls. The time is the upper
    /// bound of a bucket.
    ///
    /// ```
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// let runtime = polyplug::Runtime::builder().metrics(true).build()?;
    /// for method in runtime.metrics().methods {
    ///     println!("{}: {:?}, rarely {:?}", method.method, method.latency.percentile(50.0), method.latency.percentile(99.9));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        let wanted = (self.count() as f64 * percent.clamp(0.0, 100.0) / 100.0).ceil().max(1.0) as u64;
        let mut seen = 0;
        let found = self.buckets().find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        found.map(|(bound, _)| bound).unwrap_or_default()
    }

    /// Returns the buckets with calls: the upper bound of each, which is in the bucket, and the number of calls, in ascending
    /// order. The last bound is [`Duration::MAX`] for calls that took more than 18 minutes.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let counted = self.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0);
        counted.map(|(bucket, count)| {
            let is_last = bucket + 1 == self.counts.len();
            (if is_last { Duration::MAX } else { Duration::from_nanos(least(bucket + 1) - 1) }, count)
        })
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.buckets()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[u64]) -> Histogram {
        let mut counts = vec![0; BUCKETS].into_boxed_slice();
        times.iter().for_each(|time| counts[bucket(*time)] += 1);
        Histogram::new(counts, times.iter().sum())
    }

    #[test]
    fn each_time_is_in_its_bucket() {
        for time in (0..5000).chain((12..40).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1])) {
            let number = bucket(time);
            assert!(least(number) <= time && time < least(number + 1), "{time} in {number}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn buckets_are_an_eighth_wide_at_most() {
        for number in 16..BUCKETS - 1 {
            let (from, to) = (least(number), least(number + 1));
            assert!(from < to && (to - from) * 8 <= from, "{from}..{to}");
        }
    }

    #[test]
    fn percentiles_are_upper_bounds() {
        let histogram = of(&[1, 2, 3, 1000]);
        assert_eq!(histogram.count(), 4);
        assert_eq!(histogram.mean(), Duration::from_nanos(251));
        assert_eq!(histogram.percentile(0.0), Duration::from_nanos(1));
        assert_eq!(histogram.percentile(50.0), Duration::from_nanos(2));
        let most = histogram.percentile(100.0);
        assert!(most >= Duration::from_nanos(1000) && most < Duration::from_nanos(1125), "{most:?}");
    }

    #[test]
    fn without_calls_there_are_zeroes() {
        let histogram = of(&[]);
        assert_eq!((histogram.count(), histogram.mean()), (0, Duration::ZERO));
        assert_eq!((histogram.percentile(99.0), histogram.buckets().count()), (Duration::ZERO, 0));
    }

    #[test]
    fn the_longest_times_share_a_bucket() {
        assert_eq!(of(&[u64::MAX >> 8]).percentile(100.0), Duration::MAX);
    }
}
