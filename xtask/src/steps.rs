//! Steps with a number, a title and a time. Progress goes to standard error; results stay alone on standard output.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Counts the steps of a command and times each.
pub(crate) struct Steps {
    total: usize,
    started: usize,
    begin: Instant,
}

impl Steps {
    pub(crate) fn new(total: usize) -> Self {
        Self { total, started: 0, begin: Instant::now() }
    }

    /// Announces `title`, does `work` and says how long it took.
    pub(crate) fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.started += 1;
        eprintln!("[{}/{}] {title}", self.started, self.total);
        let begin = Instant::now();
        let outcome = work();
        let word = if outcome.is_ok() { "done" } else { "stopped" };
        eprintln!("      {word} after {}", duration(begin.elapsed()));
        outcome
    }

    /// Says how long all of it took.
    pub(crate) fn finish(&self) {
        eprintln!("All {} steps took {}.", self.started, duration(self.begin.elapsed()));
    }
}

/// A time as people read it: `0.4 s`, `12.3 s`, `2 min 5 s`.
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
