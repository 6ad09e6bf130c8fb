//! Counts requests by time, in intervals that grow with the log, so that a log of a year takes no more of them than a
//! log of an hour.

use pipeline_contracts::{Entry, Interval, Traffic};
use std::collections::BTreeMap;

/// The most intervals that the log is divided into.
pub const MAX_INTERVALS: u64 = 96;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The lengths of an interval, in seconds. Each is a multiple of the one before, so intervals can be merged. Longer ones
/// are doubled.
const STEPS: [i64; 10] =
    [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY];

/// 1970-01-05, the first Monday. Intervals of weeks begin on Mondays, and those of days at midnight, UTC.
const MONDAY: i64 = 4 * DAY;

/// The requests so far.
#[derive(Debug, Clone)]
pub struct Counter {
    step: i64,
    /// By the number of the interval, counted from [`MONDAY`].
    intervals: BTreeMap<i64, Interval>,
    /// The times of the first and the last request.
    period: Option<(i64, i64)>,
}

impl Default for Counter {
    fn default() -> Self {
        Self { step: STEPS[0], intervals: BTreeMap::new(), period: None }
    }
}

impl Counter {
    /// Counts a request.
    pub fn count(&mut self, entry: &Entry) {
        let time = entry.time;
        let (first, last) = self.period.map_or((time, time), |(first, last)| (first.min(time), last.max(time)));
        self.period = Some((first, last));
        while number(last, self.step).abs_diff(number(first, self.step)) >= MAX_INTERVALS {
            self.widen();
        }
        let interval = self.intervals.entry(number(time, self.step)).or_default();
        interval.statuses.count(entry.status);
        interval.bytes = interval.bytes.saturating_add(entry.size);
    }

    /// Returns all intervals from the first request to the last, `None` without requests.
    #[must_use]
    pub fn finish(self) -> Option<Traffic> {
        let (first, last) = self.period?;
        let numbers = number(first, self.step)..=number(last, self.step);
        let start = numbers.start().saturating_mul(self.step).saturating_add(MONDAY);
        let intervals = numbers.map(|number| self.intervals.get(&number).copied().unwrap_or_default()).collect();
        Some(Traffic { first, last, start, step: self.step.unsigned_abs(), intervals })
    }

    /// Goes over to the next length of an interval.
    fn widen(&mut self) {
        let (from, to) = (self.step, next(self.step));
        self.step = to;
        for (number, interval) in std::mem::take(&mut self.intervals) {
            let merged = self.intervals.entry(number.div_euclid(to / from)).or_default();
            merged.statuses.add(&interval.statuses);
            merged.bytes = merged.bytes.saturating_add(interval.bytes);
        }
    }
}

fn next(step: i64) -> i64 {
    STEPS.iter().copied().find(|&longer| longer > step).unwrap_or_else(|| step.saturating_mul(2))
}

/// Returns the number of the interval that a time lies in.
fn number(time: i64, step: i64) -> i64 {
    // Only times of several hundred billion years ago are changed by saturation.
    time.saturating_sub(MONDAY).div_euclid(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(time: i64, status: u16, size: u64) -> Entry {
        Entry {
            client: String::new(),
            user: None,
            time,
            method: "GET".into(),
            target: "/".into(),
            protocol: "HTTP/1.1".into(),
            status,
            size,
            referer: None,
            agent: None,
        }
    }

    fn count(times: impl IntoIterator<Item = i64>) -> Option<Traffic> {
        let mut counter = Counter::default();
        times.into_iter().for_each(|time| counter.count(&entry(time, 200, 1)));
        counter.finish()
    }

    #[test]
    fn nothing_has_no_intervals_and_one_request_has_one() {
        assert_eq!(count([]), None);
        let one = count([90]).unwrap();
        assert_eq!((one.first, one.last, one.start, one.step, one.intervals.len()), (90, 90, 60, 60, 1));
    }

    #[test]
    fn each_step_is_a_multiple_of_the_one_before() {
        assert!(STEPS.windows(2).all(|pair| pair[1] % pair[0] == 0));
    }

    #[test]
    fn intervals_have_no_gaps_and_lose_nothing() {
        let traffic = count([0, 30, 600, 59]).unwrap();
        assert_eq!((traffic.start, traffic.step), (0, 60));
        let counts: Vec<_> = traffic.intervals.iter().map(|interval| interval.statuses.success).collect();
        assert_eq!(counts, [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn long_logs_have_long_intervals_in_any_order_of_the_lines() {
        for (seconds, step) in
            [(95 * 60, 60), (96 * 60, 300), (16 * HOUR, 900), (30 * DAY, 12 * HOUR), (300 * DAY, 7 * DAY)]
        {
            let times: Vec<_> = (0..=seconds).step_by(30 * 60).chain([seconds]).collect();
            let forward = count(times.iter().copied()).unwrap();
            assert_eq!(forward.step as i64, step, "{seconds}");
            assert!(forward.intervals.len() as u64 <= MAX_INTERVALS);
            assert_eq!(
                forward.intervals.iter().map(|interval| interval.statuses.success).sum::<u64>(),
                times.len() as u64
            );
            assert_eq!(forward.intervals.iter().map(|interval| interval.bytes).sum::<u64>(), times.len() as u64);
            assert_eq!(count(times.into_iter().rev()).unwrap(), forward);
        }
    }

    #[test]
    fn weeks_begin_on_mondays() {
        let monday = 1_709_510_400; // 2024-03-04
        let traffic = count([monday + 3 * DAY, monday + 200 * DAY]).unwrap();
        assert_eq!((traffic.step as i64, traffic.start), (7 * DAY, monday));
    }

    #[test]
    fn absurd_times_end() {
        let traffic = count([i64::MIN, 0, i64::MAX]).unwrap();
        assert!(traffic.intervals.len() as u64 <= MAX_INTERVALS);
        assert_eq!(traffic.intervals.iter().map(|interval| interval.statuses.success).sum::<u64>(), 3);
    }

    #[test]
    fn statuses_are_counted_by_their_hundreds() {
        let mut counter = Counter::default();
        for status in [100, 200, 204, 301, 404, 500, 503, 599] {
            counter.count(&entry(0, status, u64::MAX));
        }
        let interval = counter.finish().unwrap().intervals[0];
        let counts = interval.statuses;
        let counts =
            [counts.informational, counts.success, counts.redirection, counts.client_error, counts.server_error];
        assert_eq!((counts, interval.bytes), ([1, 2, 1, 1, 3], u64::MAX));
    }
}
