//! What a run leaves behind: files where the user asked for them, and a summary.

use crate::run::{Failure, Outcome, Sink, Stage};
use crate::statistics::Statistics;
use crate::table::{Table, grouped, printable};
use anyhow::Context;
use pipeline_contracts::{Cell, Record, Rejected, Rejection, SessionCounts, Summary};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes to files what goes to files, counts rejects by reason and, for a report, requests, and tells of failures as
/// they happen.
#[derive(Default)]
pub struct Output {
    passed: Option<LineFile>,
    rejected: Option<LineFile>,
    /// By stage and reason.
    reasons: BTreeMap<(String, String), Reason>,
    /// The requests, if there will be a report.
    statistics: Option<Statistics>,
}

struct Reason {
    count: u64,
    /// The first line of its kind, as an example.
    line: u64,
    detail: String,
}

impl Output {
    /// Writes the lines that went through every stage to `passed`, those that did not to `rejected`.
    ///
    /// # Errors
    ///
    /// A file cannot be created.
    pub fn new(passed: Option<&Path>, rejected: Option<&Path>) -> anyhow::Result<Self> {
        let passed = passed.map(LineFile::create).transpose()?;
        let rejected = rejected.map(LineFile::create).transpose()?;
        Ok(Self { passed, rejected, ..Self::default() })
    }

    /// Counts, from now on, what a report needs.
    pub fn keep_statistics(&mut self) {
        self.statistics = Some(Statistics::default());
    }

    /// Returns what a report is made of; without numbers of requests unless they were [kept](Self::keep_statistics).
    #[must_use]
    pub fn report(&self, source: String, stages: &[Stage], outcome: &Outcome, sessions: Vec<SessionCounts>) -> Summary {
        let none = Statistics::default();
        let statistics = self.statistics.as_ref().unwrap_or(&none);
        let rejection = |((stage, reason), found): (&(String, String), &Reason)| Rejection {
            stage: stage.clone(),
            reason: reason.clone(),
            lines: found.count,
            first: found.line,
            detail: found.detail.clone(),
        };
        let rejections = self.reasons.iter().map(rejection).collect();
        Summary { rejections, ..statistics.summary(source, stages, outcome, sessions) }
    }

    /// Makes sure that the files are complete.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        [&mut self.passed, &mut self.rejected].into_iter().flatten().try_for_each(LineFile::flush)
    }

    /// All there is to say about a run, for people.
    #[must_use]
    pub fn summary(&self, stages: &[Stage], outcome: &Outcome) -> String {
        let mut text = format!("{} lines\n\nStages\n{}", grouped(outcome.lines), stages_table(stages, outcome));
        if !self.reasons.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\nRejected\n{}", self.rejects_table());
        }
        for (stage, report) in &outcome.reports {
            let _ = write!(text, "\n{} ({stage})\n{}", report.title, Table::from(report));
        }
        text
    }

    fn rejects_table(&self) -> Table {
        let mut table = Table::new(["stage", "reason", "lines", "first", "because"]);
        for ((stage, reason), Reason { count, line, detail }) in &self.reasons {
            table.row([words(stage), words(reason), integer(*count), integer(*line), words(detail)]);
        }
        table
    }
}

impl Sink for Output {
    fn passed(&mut self, record: Record) -> anyhow::Result<()> {
        if let Some(statistics) = &mut self.statistics {
            statistics.count(&record);
        }
        match &mut self.passed {
            Some(file) => file.line(format_args!("{}", record.raw)),
            None => Ok(()),
        }
    }

    fn rejected(&mut self, stage: &str, rejected: Rejected) -> anyhow::Result<()> {
        let Rejected { line, raw, reason, detail } = rejected;
        let (reason, detail) = (printable(&reason), printable(&detail));
        if let Some(file) = &mut self.rejected {
            file.line(format_args!("{line}\t{stage}\t{reason}\t{detail}\t{raw}"))?;
        }
        let key = (stage.to_owned(), reason);
        self.reasons.entry(key).or_insert(Reason { count: 0, line, detail }).count += 1;
        Ok(())
    }

    fn failed(&mut self, failure: &Failure) {
        eprintln!("{failure}");
    }
}

/// A file that is written line by line, and named when that fails.
struct LineFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl LineFile {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path: path.into(), file: BufWriter::new(file) })
    }

    fn line(&mut self, line: fmt::Arguments<'_>) -> anyhow::Result<()> {
        writeln!(self.file, "{line}").with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.file.flush().with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn stages_table(stages: &[Stage], outcome: &Outcome) -> Table {
    let mut table = Table::new(["stage", "language", "bundle", "in", "out", "rejected", "lost", "µs/record", "does"]);
    for (stage, tally) in stages.iter().zip(&outcome.tallies) {
        let time = tally.busy.as_secs_f64() * 1e6 / tally.records_in.max(1) as f64;
        table.row([
            words(&stage.name),
            words(&stage.language),
            words(&stage.bundle),
            integer(tally.records_in),
            integer(tally.records_out),
            integer(tally.rejected),
            integer(tally.lost),
            Cell::Number(time),
            words(&stage.summary),
        ]);
    }
    table
}

fn words(text: &str) -> Cell {
    Cell::Text(text.into())
}

fn integer(number: u64) -> Cell {
    Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
