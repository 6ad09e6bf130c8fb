//! The run of a test file on a thread of its own, which is given up if a test does not return.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::contract::{Case, Failure};
use super::report::{FileReport, Status, TestReport};
use super::session::{Job, Progress};
use crate::text::causes;

/// The time that is added to the limits of the engines.
const MARGIN: Duration = Duration::from_secs(5);

/// Runs a test file. Calls `report` with each test that has ended. Returns the report, and whether the thread still runs:
/// then no other test file can be run in this process, since the thread may hold the lock of an engine.
///
/// The engines end code that takes too long. A call of a plugin from a test has a limit of its own, so the two limits may
/// follow each other. Native code has no limit, and cannot be ended.
pub(crate) fn run(job: Job, mut report: impl FnMut(&TestReport)) -> (FileReport, bool) {
    let limit = job.bundle.timeout.saturating_mul(2).saturating_add(MARGIN);
    let mut done = FileReport { file: job.file.path(), tests: Vec::new(), error: None };
    let (sender, receiver) = channel();
    let mut running: Option<Case> = None;
    let thread = std::thread::Builder::new().name("tests".to_owned()).spawn(move || job.run(&sender));
    let thread = match thread {
        Ok(thread) => thread,
        Err(error) => {
            done.error = Some(format!("cannot start a thread: {error}"));
            return (done, false);
        }
    };
    loop {
        match receiver.recv_timeout(limit) {
            Ok(Progress::Begins(case)) => running = Some(case),
            Ok(Progress::Ended(test)) => {
                running = None;
                report(&test);
                done.tests.push(test);
            }
            Ok(Progress::Done(outcome)) => {
                done.error = outcome.err().map(|error| causes(&error));
                break;
            }
            Err(RecvTimeoutError::Timeout) => {
                let what = "did not return in time, and cannot be ended";
                let Some(case) = running else {
                    done.error = Some(format!("the start of the bundles {what}"));
                    return (done, true);
                };
                let hint = "stand-ins in Lua and JavaScript serve one thread at a time, which is that of the test";
                let failure = Failure { message: format!("the test {what}: {hint}"), ..Failure::default() };
                let test = TestReport {
                    name: case.name,
                    place: case.place,
                    status: Status::Failed(failure),
                    time: limit,
                    log: super::captured_log::take(),
                };
                report(&test);
                done.tests.push(test);
                done.error = Some("the tests after this one were not run: end what the test waits for".to_owned());
                return (done, true);
            }
            Err(RecvTimeoutError::Disconnected) => {
                done.error = Some("the thread of the tests has ended early: see above".to_owned());
                break;
            }
        }
    }
    // The runtime ends on the thread.
    let _ = thread.join();
    (done, false)
}
