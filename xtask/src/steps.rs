//! Steps with a number, a title and a time. Progress is printed to standard error, so that standard output has only
//! results.

use std::time::{Duration, Instant};

use anyhow::Result;

/// The steps of a command, counted and timed.
pub(crate) struct Steps {
    total: usize,
    started: usize,
    begin: Instant,
}

impl Steps {
    pub(crate) fn new(total: usize) -> Self {
        Self { total, started: 0, begin: Instant::now() }
    }

    /// Prints `title`, does `work` and prints how long it took.
    pub(crate) fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.started += 1;
        eprintln!("[{}/{}] {title}", self.started, self.total);
        let begin = Instant::now();
        let outcome = work();
        let word = if outcome.is_ok() { "done" } else { "stopped" };
        eprintln!("      {word} after {}", duration(begin.elapsed()));
        outcome
    }

    /// Prints how long all steps took.
    pub(crate) fn finish(&self) {
        eprintln!("All {} steps took {}.", self.started, duration(self.begin.elapsed()));
    }
}

/// Returns a time as text for people: `0.4 s`, `12.3 s`, `2 min 5 s`.
fn duration(time: Duration) -> String {
    if time < Duration::from_secs(60) {
        return format!("{:.1} s", time.as_secs_f64());
    }
    format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(duration(Duration::from_millis(420)), "0.4 s");
        assert_eq!(duration(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(duration(Duration::from_secs(125)), "2 min 5 s");
    }
}
