//! What the host provides to the stages: each gets an object of its own, which knows the name of its bundle.

use crate::table::{grouped, printable};
use pipeline_contracts::{Level, Log, Progress};
use polyplug::Runtime;
use polyplug::error::RuntimeError;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Provides the log, and the display of progress: a line whenever a stage is done with `every` more records.
///
/// # Errors
///
/// The runtime provides them already.
pub fn provide(runtime: &Runtime, every: Option<NonZeroU64>) -> Result<(), RuntimeError> {
    runtime.provide_each::<dyn Log, _>(|bundle| Console { bundle: bundle.to_owned() })?;
    runtime.provide_each::<dyn Progress, _>(move |bundle| Counter {
        bundle: bundle.to_owned(),
        every,
        done: AtomicU64::new(0),
    })
}

/// Writes what a stage says to standard error.
struct Console {
    bundle: String,
}

impl Log for Console {
    fn log(&self, level: Level, text: &str) {
        let warning = if level == Level::Warning { "warning: " } else { "" };
        eprintln!("[{}] {warning}{}", self.bundle, printable(text));
    }
}

/// Writes to standard error how far a stage is.
struct Counter {
    bundle: String,
    every: Option<NonZeroU64>,
    done: AtomicU64,
}

impl Progress for Counter {
    fn advance(&self, records: u64) {
        let before = self.done.fetch_add(records, Relaxed);
        let Some(reached) = self.every.and_then(|every| milestone(before, before.saturating_add(records), every))
        else {
            return;
        };
        eprintln!("[{}] {} records", self.bundle, grouped(reached));
    }
}

/// The last multiple of `every` that was passed on the way.
fn milestone(before: u64, now: u64, every: NonZeroU64) -> Option<u64> {
    (now / every > before / every).then(|| now / every * every.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_when_a_multiple_is_passed() {
        let every = NonZeroU64::new(100).unwrap();
        let steps = [(0, 99), (99, 100), (100, 100), (100, 199), (150, 250), (0, 1_050)];
        let reached = steps.map(|(before, now)| milestone(before, now, every));
        assert_eq!(reached, [None, Some(100), None, None, Some(200), Some(1_000)]);
    }
}
