//! Measurements beside a floor, in the same run.
//!
//! Figures depend on the machine and on its load, so a figure by itself says little. Here both sides are measured in
//! turns, a batch of one after a batch of the other, and their medians are compared.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The number of batches of each side.
const ROUNDS: usize = 61;

/// The duration of a batch: long enough for the clock, short enough for many rounds.
const BATCH: Duration = Duration::from_millis(2);

/// A table of measurements, printed line by line.
pub struct Table {
    filter: Option<String>,
}

/// The goal of a measurement.
#[derive(Clone, Copy)]
pub enum Goal {
    /// At most this many nanoseconds more than the floor.
    Above(f64),
    /// At most this many times the floor.
    Times(f64),
    /// At most this many nanoseconds on the machine of the goals, where the floor takes `reference`. Elsewhere the goal
    /// scales with the floor.
    Within {
        /// The goal.
        ns: f64,
        /// The nanoseconds of the floor on the machine of the goals.
        reference: f64,
    },
    /// No goal: only for comparison.
    None,
}

impl Goal {
    fn met(self, ours: f64, floor: f64) -> bool {
        match self {
            Self::Above(by) => ours <= floor + by,
            Self::Times(factor) => ours <= floor * factor,
            Self::Within { ns, reference } => ours <= ns * floor / reference,
            Self::None => true,
        }
    }

    fn text(self, floor: f64) -> String {
        match self {
            Self::Above(by) => format!("floor + {by}"),
            Self::Times(factor) => format!("{factor} x floor"),
            Self::Within { ns, reference } => format!("{ns} = {:.1} here", ns * floor / reference),
            Self::None => String::new(),
        }
    }
}

impl Table {
    /// Makes a table with `title`. Arguments of the command line choose lines: those whose names contain one.
    #[must_use]
    pub fn new(title: &str) -> Self {
        let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
        println!("\n{title} (ns, median of {ROUNDS} batches each, in turns)");
        println!("{:<44} {:>11} {:>11} {:>7}  {:<18} met", "", "ours", "floor", "ratio", "goal");
        Self { filter }
    }

    /// Returns whether the command line chooses a line of a group, by words of the lines' names. For groups that are
    /// costly to set up.
    #[must_use]
    pub fn wants(&self, words: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| words.split(' ').any(|word| filter.contains(word)))
    }

    /// Measures `ours` beside `floor`.
    pub fn line<A, B>(&self, name: &str, goal: Goal, floor: impl FnMut() -> A, ours: impl FnMut() -> B) {
        self.line_of(1, name, goal, floor, ours);
    }

    /// Measures like [`line`](Self::line), where each call of a side does its work `times` times.
    pub fn line_of<A, B>(
        &self,
        times: u32,
        name: &str,
        goal: Goal,
        mut floor: impl FnMut() -> A,
        mut ours: impl FnMut() -> B,
    ) {
        if self.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
            return;
        }
        if self.profile(&mut floor, &mut ours) {
            return;
        }
        let (floor_count, our_count) = (calibrate(&mut floor), calibrate(&mut ours));
        let (mut floors, mut all_ours) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            floors.push(batch(floor_count, &mut floor));
            all_ours.push(batch(our_count, &mut ours));
        }
        let (floor, ours) = (median(floors) / f64::from(times), median(all_ours) / f64::from(times));
        let met = if goal.met(ours, floor) { "yes" } else { "NO" };
        let met = if matches!(goal, Goal::None) { "" } else { met };
        println!("{name:<44} {ours:>11.2} {floor:>11.2} {:>7.2}  {:<18} {met}", ours / floor, goal.text(floor));
    }
}

impl Table {
    /// Runs one side for a profiler, with `--only-ours` or `--only-floor`, and prints nothing.
    fn profile<A, B>(&self, floor: &mut impl FnMut() -> A, ours: &mut impl FnMut() -> B) -> bool {
        const CALLS: u32 = 5_000_000;
        let has = |option: &str| std::env::args().any(|arg| arg == option);
        if has("--only-ours") {
            batch(CALLS, ours);
        } else if has("--only-floor") {
            batch(CALLS, floor);
        } else {
            return false;
        }
        true
    }
}

/// Runs the loop of a batch. A function of its own, so that other values in registers cost neither side.
#[inline(never)]
fn batch<R>(count: u32, body: &mut impl FnMut() -> R) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        black_box(body());
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

/// Returns the number of calls that fill a batch.
#[inline(never)]
fn calibrate<R>(body: &mut impl FnMut() -> R) -> u32 {
    let mut count = 1u32;
    loop {
        let start = Instant::now();
        for _ in 0..count {
            black_box(body());
        }
        let taken = start.elapsed();
        if taken * 4 >= BATCH || count >= 1 << 24 {
            let scale = BATCH.as_secs_f64() / taken.as_secs_f64().max(1e-9);
            return ((f64::from(count) * scale) as u32).max(1);
        }
        count *= 2;
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
