//! What makes a document of a run: [`Renderer`], and the [`Summary`] that it is given.

use crate::Report;
use std::collections::BTreeMap;
use std::fmt;

/// Makes a document of what was counted in a run. Called by the host once, after the end of the log.
#[polyplug::contract(name = "pipeline.renderer", version = "1.0")]
pub trait Renderer {
    /// Makes the document, which the host writes to a file as it is.
    ///
    /// All texts of the summary that come from the log may hold anything.
    fn render(&self, summary: &Summary) -> Result<String, RenderError>;
}

/// What was counted in a run. Requests are lines that went through every stage.
#[derive(Debug, Clone, Default, PartialEq, polyplug::Type)]
pub struct Summary {
    /// The name of the log.
    pub source: String,
    /// Lines of the log.
    pub lines: u64,
    /// Lines that went through every stage.
    pub requests: u64,
    /// Bytes of their answers' bodies.
    pub bytes: u64,
    /// Requests by time; `None` if there are none.
    pub traffic: Option<Traffic>,
    /// Requests by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Sizes of answers in bytes; `None` if there are none.
    pub sizes: Option<Distribution>,
    /// The most wanted paths, without queries, the most wanted first.
    pub paths: Vec<PathCount>,
    /// How many different paths there are.
    pub distinct_paths: u64,
    /// The sessions of clients; `None` if no bundle knows them.
    pub sessions: Option<SessionSummary>,
    /// The lines that were rejected, by stage and reason.
    pub rejections: Vec<Rejection>,
    /// What happened at each stage, in the order of the pipeline.
    pub stages: Vec<StageCount>,
    /// What the stages found out.
    pub findings: Vec<Finding>,
}

/// Requests by time, in intervals of one length without gaps between them.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct Traffic {
    /// The time of the first request, in seconds since 1970-01-01 UTC.
    pub first: i64,
    /// The time of the last request.
    pub last: i64,
    /// When the first interval begins, not after `first`.
    pub start: i64,
    /// The length of an interval in seconds.
    pub step: u64,
    /// The intervals.
    pub intervals: Vec<Interval>,
}

/// The requests of one interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, polyplug::Type)]
pub struct Interval {
    /// Requests by the hundreds of their status.
    pub statuses: StatusCounts,
    /// Bytes of their answers' bodies.
    pub bytes: u64,
}

/// Requests by the hundreds of their status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, polyplug::Type)]
pub struct StatusCounts {
    /// 1xx
    pub informational: u64,
    /// 2xx
    pub success: u64,
    /// 3xx
    pub redirection: u64,
    /// 4xx
    pub client_error: u64,
    /// 5xx
    pub server_error: u64,
}

/// How numbers are distributed.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct Distribution {
    /// The numbers by size, in ranges without gaps between them.
    pub bins: Vec<Bin>,
    /// What half of the numbers reach at most.
    pub median: u64,
    /// What nine tenths of the numbers reach at most.
    pub ninetieth: u64,
    /// The greatest number.
    pub max: u64,
}

/// How many numbers lie in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, polyplug::Type)]
pub struct Bin {
    /// The least number of the range.
    pub from: u64,
    /// The number that the range ends before; `None` if it has no end.
    pub below: Option<u64>,
    /// How many numbers lie in it.
    pub count: u64,
}

/// The requests for one path.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct PathCount {
    /// The path without its query.
    pub path: String,
    /// How often it was asked for.
    pub requests: u64,
    /// How many of the answers have a status from 400.
    pub errors: u64,
    /// Bytes of the answers' bodies.
    pub bytes: u64,
}

/// What is known of sessions.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct SessionSummary {
    /// How many clients there are.
    pub clients: u64,
    /// How many sessions they have.
    pub sessions: u64,
    /// How many seconds lie between the first and the last request of a session.
    pub seconds: Option<Distribution>,
    /// How many requests a session has.
    pub requests: Option<Distribution>,
}

/// Lines that a stage rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct Rejection {
    /// The stage.
    pub stage: String,
    /// What is wrong with all of these lines.
    pub reason: String,
    /// How many they are.
    pub lines: u64,
    /// The first of them.
    pub first: u64,
    /// What is wrong with that line in particular.
    pub detail: String,
}

/// What happened at a stage.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct StageCount {
    /// The name of the stage.
    pub name: String,
    /// What it does.
    pub summary: String,
    /// The loader of its bundle.
    pub language: String,
    /// Records it was given.
    pub records_in: u64,
    /// Records it passed on.
    pub records_out: u64,
    /// Records it rejected.
    pub rejected: u64,
    /// Records in the batches that it failed on.
    pub lost: u64,
}

/// A table that a stage gave at the end of the log.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Finding {
    /// The stage.
    pub stage: String,
    /// The table.
    pub report: Report,
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub enum RenderError {
    /// The summary contradicts itself.
    Invalid {
        /// The field: `traffic.step`.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else.
    Failed {
        /// What happened.
        reason: String,
    },
}

impl StatusCounts {
    /// Counts a request with this status.
    pub fn count(&mut self, status: u16) {
        let count = match crate::StatusClass::from(status) {
            crate::StatusClass::Informational => &mut self.informational,
            crate::StatusClass::Success => &mut self.success,
            crate::StatusClass::Redirection => &mut self.redirection,
            crate::StatusClass::ClientError => &mut self.client_error,
            crate::StatusClass::ServerError => &mut self.server_error,
        };
        *count += 1;
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        self.informational += other.informational;
        self.success += other.success;
        self.redirection += other.redirection;
        self.client_error += other.client_error;
        self.server_error += other.server_error;
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { field, reason } => write!(f, "the summary's `{field}`: {reason}"),
            Self::Failed { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for RenderError {}
