//! The timers of a context.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::value::Value;

/// The longest delay, about 24 days, as in browsers.
const LONGEST: f64 = i32::MAX as f64;

/// The timers that may wait at once: their memory is not that of the context, whose limit does not hold for it.
pub(super) const MOST: usize = 100_000;

/// A function that waits for its time.
#[derive(Clone)]
pub(super) struct Timer {
    pub(super) id: u32,
    pub(super) callback: Value,
    pub(super) args: Vec<Value>,
    /// The time between two calls, if there is more than one.
    pub(super) period: Option<Duration>,
}

/// The timers that wait. Of timers that are due at one time, the one added first comes first.
#[derive(Default)]
pub(super) struct Timers {
    last_id: u32,
    /// The number of additions so far.
    pub(super) added: u64,
    waiting: BTreeMap<(Instant, u64), Timer>,
    places: HashMap<u32, (Instant, u64)>,
}

impl Timers {
    /// Adds a timer, and returns its id, or `None` if too many timers wait.
    pub(super) fn add(&mut self, delay: Duration, callback: Value, args: Vec<Value>, repeat: bool) -> Option<u32> {
        if self.waiting.len() >= MOST {
            return None;
        }
        loop {
            self.last_id = self.last_id % i32::MAX as u32 + 1;
            if !self.places.contains_key(&self.last_id) {
                break;
            }
        }
        let period = repeat.then(|| delay.max(Duration::from_millis(1)));
        let id = self.last_id;
        self.insert(Instant::now() + period.unwrap_or(delay), Timer { id, callback, args, period });
        Some(id)
    }

    fn insert(&mut self, due: Instant, timer: Timer) {
        self.added += 1;
        self.places.insert(timer.id, (due, self.added));
        self.waiting.insert((due, self.added), timer);
    }

    /// Removes a timer. The caller drops the timer after the borrow of these timers.
    pub(super) fn remove(&mut self, id: u32) -> Option<Timer> {
        self.waiting.remove(&self.places.remove(&id)?)
    }

    /// Returns the time at which the earliest timer is due.
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes the next timer that is due and was added before `before`. A timer that repeats is added again.
    pub(super) fn take_due(&mut self, now: Instant, before: u64) -> Option<Timer> {
        let place = *self.waiting.range(..=(now, u64::MAX)).find(|((_, added), _)| *added <= before)?.0;
        let timer = self.waiting.remove(&place)?;
        self.places.remove(&timer.id);
        if let Some(period) = timer.period {
            self.insert(now + period, timer.clone());
        }
        Some(timer)
    }
}

/// Returns the delay of a number of milliseconds as a script gives it.
pub(super) fn delay(milliseconds: f64) -> Duration {
    // The comparison is false for NaN, too.
    if milliseconds > 0.0 { Duration::from_secs_f64(milliseconds.min(LONGEST) / 1000.0) } else { Duration::ZERO }
}
