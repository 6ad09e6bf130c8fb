//! Measurements beside a floor, in the same run.
//!
//! Figures depend on the machine and on its load, so a figure by itself says little. Here both sides are measured in
//! turns, a batch of one after a batch of the other, and their medians are compared.

use crate::batches::{Batch, ROUNDS, medians, repeated};

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

    /// Measures like [`line`](Self::line), where each call of a side does its work `times_each` times.
    pub fn line_of<A, B>(
        &self,
        times_each: u32,
        name: &str,
        goal: Goal,
        floor: impl FnMut() -> A,
        ours: impl FnMut() -> B,
    ) {
        if self.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
            return;
        }
        let mut batches = [repeated(floor), repeated(ours)];
        if profile(&mut batches) {
            return;
        }
        let times = medians(&mut batches);
        let (floor, ours) = (times[0] / f64::from(times_each), times[1] / f64::from(times_each));
        let met = if goal.met(ours, floor) { "yes" } else { "NO" };
        let met = if matches!(goal, Goal::None) { "" } else { met };
        println!("{name:<44} {ours:>11.2} {floor:>11.2} {:>7.2}  {:<18} {met}", ours / floor, goal.text(floor));
    }
}

/// Runs one side for a profiler, with `--only-ours` or `--only-floor`, and prints nothing.
fn profile([floor, ours]: &mut [Batch<'_>; 2]) -> bool {
    const CALLS: u32 = 5_000_000;
    let has = |option: &str| std::env::args().any(|arg| arg == option);
    if has("--only-ours") {
        ours(CALLS);
    } else if has("--only-floor") {
        floor(CALLS);
    } else {
        return false;
    }
    true
}
