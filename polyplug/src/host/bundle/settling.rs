//! How long ago a file must have been changed to be taken for complete.

use std::time::{Duration, SystemTime};

/// The time for which files must have been unchanged before they are copied, and after which another change of a file
/// shows.
///
/// Two changes of a file within one tick of the system's clock have the same time. The time of a change is that of the
/// last tick before it, so a file may have changed a tick later than its time says. A program that overwrites a file in
/// steps makes each soon after the one before. So this is the time between two such steps, and a tick of the slowest
/// clock (100 Hz) in addition.
pub(crate) const SETTLED: Duration = Duration::from_millis(20 + 10);

/// The same for a file system that keeps whole seconds only, or every other one.
const SETTLED_IN_SECONDS: Duration = Duration::from_millis(2000 + 10);

/// Whether a file may still be changing.
#[derive(Debug, PartialEq)]
pub(crate) enum Unsettled {
    No,
    /// It may be, for so long.
    For(Duration),
    /// Its time is later than the present, so the clocks of system and file system differ.
    Unknown,
}

/// Returns whether a file that was changed at `latest` may still be changing at `now`.
pub(crate) fn unsettled(latest: SystemTime, now: SystemTime) -> Unsettled {
    let has_fractions = latest.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() != 0);
    let settled = if has_fractions { SETTLED } else { SETTLED_IN_SECONDS };
    match now.duration_since(latest) {
        Ok(age) if age >= settled => Unsettled::No,
        Ok(age) => Unsettled::For(settled - age),
        // Changed after the clock was read.
        Err(ahead) if ahead.duration() < settled => Unsettled::For(settled),
        Err(_) => Unsettled::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_settles_a_tick_after_the_coarseness() {
        let at = |millis: u64| SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + millis);
        assert_eq!(unsettled(at(5), at(35)), Unsettled::No);
        assert_eq!(unsettled(at(5), at(34)), Unsettled::For(Duration::from_millis(1)));
        assert_eq!(unsettled(at(5), at(3)), Unsettled::For(SETTLED), "changed after the clock was read");
        assert_eq!(unsettled(at(5005), at(5)), Unsettled::Unknown, "by another clock");
        // A file system that keeps whole seconds.
        assert_eq!(unsettled(at(0), at(1010)), Unsettled::For(Duration::from_secs(1)));
        assert_eq!(unsettled(at(0), at(2010)), Unsettled::No);
    }
}
