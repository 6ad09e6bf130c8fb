//! The report of the tests, as text and as JSON.

use std::time::Duration;

use polyplug::CallError;
use serde_json::{Value as Json, json};
use similar::{ChangeTag, TextDiff};

use super::contract::{Failure, Outcome, Place};
use super::test_file::FOLDER;
use crate::text::{BOLD, DIM, GREEN, RED, YELLOW, styled};

/// What became of the tests of a test file.
#[derive(Debug)]
pub(crate) struct FileReport {
    /// The path of the file in the folder of the bundle under test.
    pub(crate) file: String,
    pub(crate) tests: Vec<TestReport>,
    /// The reason why the tests were not run, or not all of them.
    pub(crate) error: Option<String>,
}

/// What became of a test.
#[derive(Debug)]
pub(crate) struct TestReport {
    pub(crate) name: String,
    pub(crate) place: Option<Place>,
    pub(crate) status: Status,
    pub(crate) time: Duration,
    /// The log of all bundles during the test.
    pub(crate) log: Vec<String>,
}

/// The outcome of a test, as it is reported.
#[derive(Debug)]
pub(crate) enum Status {
    Passed,
    /// The test was left out, for this reason.
    Skipped(String),
    Failed(Failure),
}

impl Status {
    /// Returns the status for the outcome of the call that ran a test.
    ///
    /// A call whose time is up has reached a limit, as one that needs too much memory. `time` is the time that the call took,
    /// and `limit` what it may take.
    pub(crate) fn of(outcome: Result<Outcome, CallError>, time: Duration, limit: Duration) -> Self {
        match outcome {
            Ok(Outcome { skipped: Some(reason), .. }) => Self::Skipped(reason),
            Ok(Outcome { failure: Some(failure), .. }) => Self::Failed(failure),
            Ok(_) => Self::Passed,
            Err(error) => {
                let failure = error.failure();
                let message = match &error {
                    CallError::LimitReached(_) if time >= limit => {
                        format!("the test takes longer than {} s: `--timeout` sets the limit", limit.as_secs())
                    }
                    _ => failure.message.clone(),
                };
                let place = failure.location.as_deref().and_then(place);
                Self::Failed(Failure { message, place, values: None, trace: failure.traceback.clone() })
            }
        }
    }
}

/// Reads a place such as `tests/greet.lua:12`, the file of which is one of the test bundle.
fn place(text: &str) -> Option<Place> {
    let (file, line) = text.rsplit_once(':')?;
    let file = file.strip_prefix(FOLDER)?.strip_prefix('/')?;
    Some(Place { file: file.to_owned(), line: line.parse().ok()? })
}

/// Returns a place relative to the folder of the bundle under test.
pub(crate) fn shown(place: &Place) -> String {
    format!("{FOLDER}/{}:{}", place.file, place.line)
}

impl TestReport {
    /// Returns the line of the report for the test, with the details of a failure below it.
    pub(crate) fn text(&self) -> String {
        let time = styled(DIM, &duration(self.time));
        match &self.status {
            Status::Passed => format!("  {}      {} {time}\n", styled(GREEN, "ok"), self.name),
            Status::Skipped(reason) => {
                let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                format!("  {} {}{why}\n", styled(YELLOW, "skipped"), self.name)
            }
            Status::Failed(failure) => {
                let mut text = format!("  {}  {} {time}\n", styled(RED, "FAILED"), self.name);
                if let Some(place) = failure.place.as_ref().or(self.place.as_ref()) {
                    text += &format!("    {}\n", styled(BOLD, &shown(place)));
                }
                text += &block(&failure.message);
                if let Some(values) = &failure.values {
                    text += &difference(&values.expected, &values.actual);
                }
                if let Some(trace) = &failure.trace {
                    text += &styled(DIM, block(trace).trim_end_matches('\n'));
                    text.push('\n');
                }
                if !self.log.is_empty() {
                    text += &format!("    {}\n", styled(DIM, "log:"));
                    text += &self.log.iter().map(|line| block(line)).collect::<String>();
                }
                text
            }
        }
    }

    fn json(&self) -> Json {
        let place = |place: &Place| json!({ "file": format!("{FOLDER}/{}", place.file), "line": place.line });
        let mut json = json!({
            "name": self.name,
            "status": match self.status {
                Status::Passed => "passed",
                Status::Skipped(_) => "skipped",
                Status::Failed(_) => "failed",
            },
            "seconds": self.time.as_secs_f64(),
            "place": self.place.as_ref().map(place),
        });
        match &self.status {
            Status::Passed => {}
            Status::Skipped(reason) => json["reason"] = reason.as_str().into(),
            Status::Failed(failure) => {
                json["message"] = failure.message.as_str().into();
                json["failed_at"] = failure.place.as_ref().map(place).into();
                if let Some(values) = &failure.values {
                    json["expected"] = values.expected.as_str().into();
                    json["actual"] = values.actual.as_str().into();
                }
                json["trace"] = failure.trace.clone().into();
                json["log"] = self.log.clone().into();
            }
        }
        json
    }
}

impl FileReport {
    pub(crate) fn json(&self) -> Json {
        let tests: Vec<_> = self.tests.iter().map(TestReport::json).collect();
        json!({ "file": self.file, "error": self.error, "tests": tests })
    }

    /// Returns whether any test has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.tests.iter().any(|test| matches!(test.status, Status::Failed(_)))
    }
}

/// Returns the last line of the report.
pub(crate) fn summary(files: &[FileReport]) -> String {
    let count = |matches: fn(&Status) -> bool| {
        files.iter().flat_map(|file| &file.tests).filter(|test| matches(&test.status)).count()
    };
    let passed = count(|status| matches!(status, Status::Passed));
    let failed = count(|status| matches!(status, Status::Failed(_)));
    let skipped = count(|status| matches!(status, Status::Skipped(_)));
    let broken = files.iter().filter(|file| file.error.is_some()).count();
    let mut parts = vec![format!("{passed} passed"), format!("{failed} failed")];
    if skipped > 0 {
        parts.push(format!("{skipped} skipped"));
    }
    if broken > 0 {
        parts.push(format!("{broken} file{} could not be run", if broken == 1 { "" } else { "s" }));
    }
    let style = if failed + broken > 0 { RED } else { GREEN };
    styled(style, &parts.join(", "))
}

/// Returns the difference between two texts, line by line.
pub(crate) fn difference(expected: &str, actual: &str) -> String {
    let mut text = format!("    {} {}\n", styled(GREEN, "- expected"), styled(RED, "+ actual"));
    let diff = TextDiff::from_lines(expected, actual);
    for group in diff.grouped_ops(3) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = change.value().trim_end_matches('\n');
            text += &match change.tag() {
                ChangeTag::Equal => format!("      {line}\n"),
                ChangeTag::Delete => format!("    {}\n", styled(GREEN, &format!("- {line}"))),
                ChangeTag::Insert => format!("    {}\n", styled(RED, &format!("+ {line}"))),
            };
        }
    }
    text
}

/// Returns a text with an indentation.
fn block(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

fn duration(time: Duration) -> String {
    match time.as_millis() {
        0 => String::new(),
        millis @ 1..10_000 => format!("({millis} ms)"),
        _ => format!("({:.1} s)", time.as_secs_f64()),
    }
}
