//! Sends a log through the stages, and keeps the books: every line is passed on, rejected, dropped by a stage that
//! meant to, or lost with a batch that failed.

use crate::input::Chunk;
use anyhow::Context;
use pipeline_contracts::{Batch, Flush, Record, Rejected, Report};
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// Who rejects what never reaches a stage.
pub const INPUT: &str = "input";

/// What the pipeline asks of a stage, wherever that stage lives.
pub trait Step {
    /// Takes a batch, gives back what goes on and what goes no further.
    ///
    /// # Errors
    ///
    /// Whatever keeps the stage from processing the batch.
    fn process(&self, records: Vec<Record>) -> anyhow::Result<Batch>;

    /// The end of the log.
    ///
    /// # Errors
    ///
    /// Whatever keeps the stage from finishing.
    fn flush(&self) -> anyhow::Result<Flush>;
}

/// One stage of the pipeline.
pub struct Stage {
    /// What the stage calls itself.
    pub name: String,
    /// What it says it does.
    pub summary: String,
    /// What it is written in.
    pub language: String,
    /// The bundle that it came in.
    pub bundle: String,
    /// The stage itself.
    pub step: Box<dyn Step>,
}

/// What happened at one stage.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Records it was given.
    pub records_in: u64,
    /// Records it passed on.
    pub records_out: u64,
    /// Records it rejected.
    pub rejected: u64,
    /// Records in the batches that it failed on.
    pub lost: u64,
    /// Time spent in it.
    pub busy: Duration,
}

/// A stage that failed.
#[derive(Debug)]
pub struct Failure {
    /// The stage's name.
    pub stage: String,
    /// What it failed on.
    pub at: FailedAt,
    /// Why.
    pub error: anyhow::Error,
}

/// What a stage failed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailedAt {
    /// A batch.
    Batch {
        /// Its number, from 1.
        number: u64,
        /// Its records.
        records: usize,
        /// The line of the first of them.
        first: u64,
        /// The line of the last of them.
        last: u64,
    },
    /// The end of the log.
    Flush,
}

/// Where everything that leaves the pipeline goes, at once, so that a long log needs no more memory than a short one.
pub trait Sink {
    /// A record that went through every stage.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    fn passed(&mut self, record: Record) -> anyhow::Result<()>;

    /// A line that goes no further, and the stage that said so.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    fn rejected(&mut self, stage: &str, rejected: Rejected) -> anyhow::Result<()>;

    /// A stage failed; the pipeline goes on.
    fn failed(&mut self, failure: &Failure);
}

/// What happened in the whole pipeline.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Lines read.
    pub lines: u64,
    /// What happened at each stage.
    pub tallies: Vec<Tally>,
    /// How often a stage failed.
    pub failures: u64,
    /// What the stages found out, each with the name of its stage.
    pub reports: Vec<(String, Report)>,
}

/// Sends a log through the stages.
///
/// # Errors
///
/// The log cannot be read or the sink cannot write. That a stage fails is no error here: the sink is told.
pub fn run(
    stages: &[Stage],
    log: impl IntoIterator<Item = io::Result<Chunk>>,
    sink: &mut dyn Sink,
) -> anyhow::Result<Outcome> {
    let outcome = Outcome { tallies: vec![Tally::default(); stages.len()], ..Outcome::default() };
    let mut run = Run { stages, sink, batch: 0, outcome };
    for chunk in log {
        let chunk = chunk.with_context(|| format!("cannot read the log after line {}", run.outcome.lines))?;
        run.chunk(chunk)?;
    }
    run.finish()?;
    Ok(run.outcome)
}

struct Run<'a> {
    stages: &'a [Stage],
    sink: &'a mut dyn Sink,
    /// The number of the current batch.
    batch: u64,
    outcome: Outcome,
}

impl Run<'_> {
    fn chunk(&mut self, chunk: Chunk) -> anyhow::Result<()> {
        self.batch += 1;
        self.outcome.lines += (chunk.records.len() + chunk.rejected.len()) as u64;
        for rejected in chunk.rejected {
            self.sink.rejected(INPUT, rejected)?;
        }
        self.send(chunk.records, 0)
    }

    /// What a stage held back reaches the stages after it before they are flushed.
    fn finish(&mut self) -> anyhow::Result<()> {
        for (number, stage) in self.stages.iter().enumerate() {
            let began = Instant::now();
            let flushed = stage.step.flush();
            self.outcome.tallies[number].busy += began.elapsed();
            match flushed {
                Ok(Flush { batch, reports }) => {
                    self.outcome.reports.extend(reports.into_iter().map(|report| (stage.name.clone(), report)));
                    self.batch += 1;
                    let records = self.leave(number, batch)?;
                    self.send(records, number + 1)?;
                }
                Err(error) => self.fail(number, FailedAt::Flush, error),
            }
        }
        Ok(())
    }

    /// Sends records through the stages from number `from` on.
    fn send(&mut self, mut records: Vec<Record>, from: usize) -> anyhow::Result<()> {
        for (number, stage) in self.stages.iter().enumerate().skip(from) {
            let (Some(first), Some(last)) = (records.first(), records.last()) else {
                return Ok(());
            };
            let at = FailedAt::Batch { number: self.batch, records: records.len(), first: first.line, last: last.line };
            let count = records.len() as u64;

            let began = Instant::now();
            let processed = stage.step.process(records);
            let tally = &mut self.outcome.tallies[number];
            tally.busy += began.elapsed();
            tally.records_in += count;
            match processed {
                Ok(batch) => records = self.leave(number, batch)?,
                Err(error) => {
                    tally.lost += count;
                    self.fail(number, at, error);
                    return Ok(());
                }
            }
        }
        records.into_iter().try_for_each(|record| self.sink.passed(record))
    }

    /// Books what a stage gave back; returns what goes on.
    fn leave(&mut self, number: usize, batch: Batch) -> anyhow::Result<Vec<Record>> {
        let tally = &mut self.outcome.tallies[number];
        tally.records_out += batch.records.len() as u64;
        tally.rejected += batch.rejected.len() as u64;
        for rejected in batch.rejected {
            self.sink.rejected(&self.stages[number].name, rejected)?;
        }
        Ok(batch.records)
    }

    fn fail(&mut self, number: usize, at: FailedAt, error: anyhow::Error) {
        self.outcome.failures += 1;
        self.sink.failed(&Failure { stage: self.stages[number].name.clone(), at, error });
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, at, error } = self;
        match at {
            FailedAt::Batch { number, records, first, last } => {
                write!(f, "stage `{stage}` failed on batch {number}, {records} records of lines {first} to {last}: ")?;
            }
            FailedAt::Flush => write!(f, "stage `{stage}` failed at the end of the log: ")?,
        }
        write!(f, "{error:#}")
    }
}
