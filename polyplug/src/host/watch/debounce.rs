//! The state machine that decides when the files of a watched bundle are looked at, and when they are loaded.
//!
//! The caller passes the time and the state of the files; the state machine reads neither clock nor files.

use std::time::{Duration, Instant};

/// The durations that a watcher waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// The time for which files must not have changed before they are loaded.
    pub(crate) debounce: Duration,
    /// The time for which incomplete files must not have changed before they are taken for complete.
    pub(crate) patience: Duration,
}

/// The shortest time between two looks at files that are being written.
const SHORTEST: Duration = Duration::from_millis(20);

/// The state of files that have not changed for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Files that can be loaded, as far as a check without a load shows.
    Complete,
    /// Files of which at least one is open for writing. Not every system reports when it is closed.
    BeingWritten,
    /// Files that cannot be loaded, with the reason.
    Invalid(String),
    /// Files of which one is missing, with its name. The file may still appear.
    Missing(String),
}

/// The action that a look at the files asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// No action until the next look is due or the files change.
    Wait,
    /// A reload from the files.
    Reload,
    /// A report that the files are not loaded, with the reason.
    Reject(String),
    /// A report that the watcher waits for a file, with its name.
    WaitFor(String),
}

/// The state machine of one bundle. `F` is the fingerprint of its files.
#[derive(Debug)]
pub(crate) struct Debouncer<F> {
    timing: Timing,
    seen: Option<F>,
    still_since: Instant,
    due: Option<Instant>,
    /// The files that were acted on last. The same files are not acted on twice.
    acted_on: Option<F>,
    /// The number of reloads in a row that failed.
    failures: u32,
}

impl<F: PartialEq + Clone> Debouncer<F> {
    /// Makes a state machine whose first look is due at once.
    pub(crate) fn new(timing: Timing, now: Instant) -> Self {
        Self { timing, seen: None, still_since: now, due: Some(now), acted_on: None, failures: 0 }
    }

    /// Returns the time of the next look, or `None` if none is due until the files change.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Notes that the files may have changed.
    pub(crate) fn on_change(&mut self, now: Instant) {
        self.still_since = now;
        // Not at once, for changes come in bursts. Soon, for the files must be seen unchanged for `debounce`.
        self.look_by(now + self.timing.debounce / 4);
    }

    /// Makes a look due at once: another version serves, or a version can be replaced again.
    pub(crate) fn schedule_now(&mut self, now: Instant) {
        self.look_by(now);
    }

    /// Returns what to do about files with the fingerprint `found`. `served` is the fingerprint of the files that
    /// serve, if any do. `readiness` is called with `found`, only if the files may be acted on.
    pub(crate) fn look(
        &mut self,
        now: Instant,
        found: F,
        served: Option<&F>,
        readiness: impl FnOnce(&F) -> Readiness,
    ) -> Action {
        self.due = None;
        if self.seen.as_ref() != Some(&found) {
            self.still_since = now;
        }
        let found = self.seen.insert(found);
        if Some(&*found) == served {
            self.acted_on = None;
            self.failures = 0;
            return Action::Wait;
        }
        if self.acted_on.as_ref() == Some(found) {
            return Action::Wait;
        }
        let debounce = self.timing.debounce;
        let patience = self.timing.patience.max(debounce);
        // Each failure doubles the wait, for the files may have been loaded too early.
        let wait = debounce.saturating_mul(1 << self.failures.min(16)).min(patience);
        let still_for = now.saturating_duration_since(self.still_since);
        if still_for < wait {
            self.due = Some(self.still_since + wait);
            return Action::Wait;
        }
        let readiness = readiness(found);
        if readiness != Readiness::Complete && still_for < patience {
            let end = self.still_since + patience;
            let soon = now + wait.max(SHORTEST);
            self.due = Some(if readiness == Readiness::BeingWritten { end.min(soon) } else { end });
            return Action::Wait;
        }
        self.acted_on = self.seen.clone();
        match readiness {
            Readiness::Complete | Readiness::BeingWritten => Action::Reload,
            Readiness::Invalid(reason) => Action::Reject(reason),
            Readiness::Missing(what) => Action::WaitFor(what),
        }
    }

    /// Returns whether the files that were seen last differ from those that serve, and nothing was done about them yet.
    pub(crate) fn is_pending(&self, served: &F) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen != served && self.acted_on.as_ref() != Some(seen))
    }

    /// Returns whether the last reload failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Notes that files with this fingerprint were acted on.
    pub(crate) fn settle(&mut self, fingerprint: F) {
        self.acted_on = Some(fingerprint);
    }

    /// Notes that the reload succeeded.
    pub(crate) fn succeeded(&mut self, now: Instant) {
        self.failures = 0;
        self.look_by(now);
    }

    /// Notes that the reload failed for a reason that lies in the files.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.failures += 1;
        self.look_by(now);
    }

    /// Notes that the reload could not be tried. The caller calls [`schedule_now`](Self::schedule_now) when it can.
    pub(crate) fn prevented(&mut self) {
        self.acted_on = None;
    }

    fn look_by(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBOUNCE: u64 = 200;
    const PATIENCE: u64 = 2000;

    /// A bundle whose files look like a number, at a time in milliseconds.
    struct Bundle {
        start: Instant,
        now: u64,
        debouncer: Debouncer<u32>,
        files: u32,
        served: u32,
        readiness: Readiness,
    }

    impl Bundle {
        /// Makes a bundle whose files are those that serve, and that has been looked at.
        fn new() -> Self {
            let timing =
                Timing { debounce: Duration::from_millis(DEBOUNCE), patience: Duration::from_millis(PATIENCE) };
            let start = Instant::now();
            let debouncer = Debouncer::new(timing, start);
            let mut this = Self { start, now: 0, debouncer, files: 1, served: 1, readiness: Readiness::Complete };
            assert_eq!(this.until(0), []);
            this
        }

        fn time(&self) -> Instant {
            self.start + Duration::from_millis(self.now)
        }

        fn change(&mut self, files: u32) {
            self.files = files;
            self.debouncer.on_change(self.time());
        }

        /// Advances the time until the first action or `end`. Returns the action with its time.
        fn until(&mut self, end: u64) -> Vec<(u64, Action)> {
            let mut actions = Vec::new();
            let end_at = self.start + Duration::from_millis(end);
            let mut looks = 0;
            while let Some(due) = self.debouncer.due().filter(|due| *due <= end_at) {
                looks += 1;
                assert!(looks < 100, "a tight loop");
                self.now = self.now.max((due - self.start).as_millis() as u64);
                let now = self.time();
                let action = self.debouncer.look(now, self.files, Some(&self.served), |_| self.readiness.clone());
                if action != Action::Wait {
                    actions.push((self.now, action));
                    return actions;
                }
            }
            self.now = end;
            actions
        }
    }

    #[test]
    fn nothing_is_due_while_nothing_stirs() {
        let mut bundle = Bundle::new();
        assert_eq!(bundle.debouncer.due(), None);
        bundle.change(1);
        assert_eq!(bundle.until(10_000), [], "nothing changed");
        assert_eq!(bundle.debouncer.due(), None);
    }

    #[test]
    fn a_change_is_acted_on_once_it_lies_still() {
        let mut bundle = Bundle::new();
        bundle.change(2);
        let acted = bundle.until(10_000);
        assert_eq!(acted, [(DEBOUNCE / 4 + DEBOUNCE, Action::Reload)]);
        bundle.served = 2;
        bundle.debouncer.succeeded(bundle.time());
        assert_eq!(bundle.until(20_000), []);
        assert_eq!(bundle.debouncer.due(), None);
    }

    #[test]
    fn what_keeps_changing_is_left_alone() {
        let mut bundle = Bundle::new();
        for step in 0..100 {
            bundle.change(2 + step);
            assert_eq!(bundle.until((u64::from(step) + 1) * (DEBOUNCE - 10)), []);
        }
        let stopped = bundle.now;
        let [(at, Action::Reload)] = bundle.until(stopped + 10_000)[..] else { panic!("is reloaded once it is still") };
        assert!(at - stopped <= DEBOUNCE + DEBOUNCE / 4);
    }

    #[test]
    fn what_changes_without_a_word_is_seen() {
        let mut bundle = Bundle::new();
        bundle.change(2);
        assert_eq!(bundle.until(DEBOUNCE), []);
        bundle.files = 3; // a change without an event, as through a memory map
        let [(at, Action::Reload)] = bundle.until(10_000)[..] else { panic!("is reloaded") };
        assert!(at >= 2 * DEBOUNCE, "{at}");
    }

    #[test]
    fn what_is_not_whole_gets_time() {
        let mut bundle = Bundle::new();
        bundle.readiness = Readiness::Invalid("truncated".to_owned());
        for step in 0..5 {
            bundle.change(2 + step);
            assert_eq!(bundle.until((u64::from(step) + 1) * (PATIENCE - 100)), [], "more may come");
        }
        bundle.readiness = Readiness::Complete;
        bundle.change(10);
        let started = bundle.now;
        assert_eq!(bundle.until(started + 10_000), [(started + DEBOUNCE / 4 + DEBOUNCE, Action::Reload)]);
    }

    #[test]
    fn what_stays_unfit_is_told_once() {
        let mut bundle = Bundle::new();
        bundle.readiness = Readiness::Invalid("garbage".to_owned());
        bundle.change(2);
        assert_eq!(bundle.until(10_000), [(DEBOUNCE / 4 + PATIENCE, Action::Reject("garbage".to_owned()))]);
        assert_eq!(bundle.until(20_000), []);
        bundle.change(2);
        assert_eq!(bundle.until(30_000), [], "a touch is no change");
        bundle.readiness = Readiness::Complete;
        bundle.change(3);
        assert_eq!(bundle.until(40_000), [(30_000 + DEBOUNCE / 4 + DEBOUNCE, Action::Reload)]);
    }

    #[test]
    fn what_is_missing_is_waited_for() {
        let mut bundle = Bundle::new();
        bundle.readiness = Readiness::Missing("plugin".to_owned());
        bundle.change(0);
        assert_eq!(bundle.until(100_000), [(DEBOUNCE / 4 + PATIENCE, Action::WaitFor("plugin".to_owned()))]);
        assert_eq!(bundle.until(100_000), []);
        bundle.readiness = Readiness::Complete;
        bundle.change(2);
        assert_eq!(bundle.until(200_000), [(100_000 + DEBOUNCE / 4 + DEBOUNCE, Action::Reload)]);
    }

    #[test]
    fn a_file_that_is_open_is_loaded_in_the_end() {
        let mut bundle = Bundle::new();
        bundle.readiness = Readiness::BeingWritten;
        bundle.change(2);
        assert_eq!(bundle.until(100_000), [(DEBOUNCE / 4 + PATIENCE, Action::Reload)]);
    }

    #[test]
    fn a_file_that_is_closed_without_a_report_is_loaded() {
        let mut bundle = Bundle::new();
        bundle.readiness = Readiness::BeingWritten;
        bundle.change(2);
        assert_eq!(bundle.until(PATIENCE / 2), []);
        bundle.readiness = Readiness::Complete;
        let [(at, Action::Reload)] = bundle.until(100_000)[..] else { panic!("is reloaded") };
        assert!(at <= PATIENCE / 2 + DEBOUNCE, "{at}");
    }

    #[test]
    fn what_is_taken_back_is_forgotten() {
        let mut bundle = Bundle::new();
        bundle.change(2);
        assert_eq!(bundle.until(DEBOUNCE), []);
        bundle.change(1);
        assert_eq!(bundle.until(10_000), []);
        assert_eq!(bundle.debouncer.due(), None);
    }

    #[test]
    fn each_failure_makes_it_slower() {
        let mut bundle = Bundle::new();
        let mut waits = Vec::new();
        for step in 0..6 {
            let changed = bundle.now;
            bundle.change(2 + step);
            let [(at, Action::Reload)] = bundle.until(changed + 10_000)[..] else { panic!("is tried") };
            waits.push(at - changed - DEBOUNCE / 4);
            bundle.debouncer.failed(bundle.time());
            assert_eq!(bundle.until(at + 10_000), [], "tried again only after a change");
        }
        assert_eq!(waits, [200, 400, 800, 1600, 2000, 2000]);
        bundle.change(1);
        assert_eq!(bundle.until(bundle.now + 10_000), []);
        let changed = bundle.now;
        bundle.change(2);
        assert_eq!(bundle.until(changed + 10_000), [(changed + DEBOUNCE / 4 + DEBOUNCE, Action::Reload)]);
    }

    #[test]
    fn a_change_during_a_reload_is_not_lost() {
        let mut bundle = Bundle::new();
        bundle.change(2);
        let [(at, Action::Reload)] = bundle.until(10_000)[..] else { panic!("is reloaded") };
        // The reload takes a second, and the files change meanwhile.
        (bundle.served, bundle.files, bundle.now) = (2, 3, at + 1000);
        bundle.debouncer.succeeded(bundle.time());
        let [(again, Action::Reload)] = bundle.until(20_000)[..] else { panic!("is reloaded again") };
        assert_eq!(again, at + 1000 + DEBOUNCE);
    }

    #[test]
    fn what_never_looks_as_served_is_loaded_once() {
        let mut bundle = Bundle::new();
        bundle.change(2);
        assert_eq!(bundle.until(10_000).len(), 1);
        bundle.debouncer.succeeded(bundle.time());
        assert_eq!(bundle.until(20_000), []);
    }

    #[test]
    fn what_was_prevented_is_done_when_woken() {
        let mut bundle = Bundle::new();
        bundle.change(2);
        assert_eq!(bundle.until(10_000).len(), 1);
        bundle.debouncer.prevented();
        assert_eq!(bundle.until(20_000), []);
        bundle.debouncer.schedule_now(bundle.time());
        assert_eq!(bundle.until(30_000), [(20_000, Action::Reload)]);
    }

    #[test]
    fn no_debounce_is_no_tight_loop() {
        let start = Instant::now();
        let mut debouncer = Debouncer::new(Timing { debounce: Duration::ZERO, patience: Duration::ZERO }, start);
        assert_eq!(debouncer.look(start, 1, Some(&1), |_| Readiness::Complete), Action::Wait);
        debouncer.on_change(start);
        assert_eq!(debouncer.look(start, 2, Some(&1), |_| Readiness::Complete), Action::Reload);
        assert_eq!(debouncer.due(), None);
        let patience = Duration::from_secs(1);
        let mut debouncer = Debouncer::new(Timing { debounce: Duration::ZERO, patience }, start);
        assert_eq!(debouncer.look(start, 2, Some(&1), |_| Readiness::BeingWritten), Action::Wait);
        assert!(debouncer.due() > Some(start));
    }
}
