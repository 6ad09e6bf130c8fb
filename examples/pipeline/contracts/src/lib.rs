//! What the host and the stages of the log pipeline agree on: [`Stage`] is what the host calls, [`Log`] and [`Progress`]
//! what it provides, [`Classifier`] what one stage does for others, [`Sessions`] what the host asks at the end, and
//! [`Renderer`] what makes a document of a run.
//!
//! Records and variants cannot grow within a major version, so everything that only *some* stages know about travels in
//! an open part: [`Label`]s on a record, [`Report`]s at the end. A new stage needs a change here only if it needs a new
//! method.

mod renderer;

pub use renderer::*;

use polyplug::CallError;
use std::collections::BTreeMap;
use std::fmt;

/// One step of the pipeline.
///
/// Batches come in the order of the log, one at a time. Methods take `&self`: a stage with state guards it itself.
#[polyplug::contract(name = "pipeline.stage", version = "1.0")]
pub trait Stage {
    /// What this stage is. Called once, after loading.
    fn describe(&self) -> StageInfo;

    /// Takes a batch, gives back what goes on to the next stage and what goes no further.
    ///
    /// A record in neither list was dropped on purpose. After an error the host goes on with the next batch.
    fn process(&self, records: Vec<Record>) -> Result<Batch, StageError>;

    /// The end of the log: gives back what was held, and what was found out. Called once, after the last batch.
    fn flush(&self) -> Result<Flush, StageError>;
}

/// Where stages say what the people who run the pipeline should know. Provided by the host.
#[polyplug::contract(name = "pipeline.log", version = "1.0")]
pub trait Log {
    /// Says `text`, which is one line. The host adds whose it is.
    fn log(&self, level: Level, text: &str);
}

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, polyplug::Type)]
pub enum Level {
    /// Good to know.
    Info,
    /// Something may be wrong.
    Warning,
}

/// Where stages say how far they are. Provided by the host.
#[polyplug::contract(name = "pipeline.progress", version = "1.0")]
pub trait Progress {
    /// The stage is done with so many records more.
    fn advance(&self, records: u64);
}

/// Knows user agents, and answers other stages about them. Provided by the bundle `classify`.
#[polyplug::contract(name = "pipeline.classifier", version = "1.0")]
pub trait Classifier {
    /// The class of a user agent, which is empty where there is none.
    fn classify(&self, agent: &str) -> AgentClass;

    /// What gives the agents of a class away.
    fn marks(&self, class: AgentClass) -> Vec<String>;
}

/// Knows the sessions of clients. Provided by the bundle `sessions`, and called by the host after the end of the log.
#[polyplug::contract(name = "pipeline.sessions", version = "1.0")]
pub trait Sessions {
    /// What all stages of the bundle have counted until now.
    fn counts(&self) -> SessionCounts;
}

/// The sessions of all clients, counted. Sessions that are alike are one entry, however many they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, polyplug::Type)]
pub struct SessionCounts {
    /// How many clients there are.
    pub clients: u64,
    /// How many sessions there are of each length: seconds from the first request to the last.
    pub seconds: BTreeMap<u64, u64>,
    /// How many sessions there are with each number of requests.
    pub requests: BTreeMap<u64, u64>,
}

/// What a stage says about itself.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct StageInfo {
    /// A short name, for tables and error messages.
    pub name: String,
    /// What it does, in half a line.
    pub summary: String,
}

/// One line of the log on its way through the stages, which fill it in bit by bit.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct Record {
    /// Where the line stands in the log, from 1.
    pub line: u64,
    /// The line as read. This is what the host writes out at the end, so a stage that hides something hides it here too.
    pub raw: String,
    /// The fields of the line; `None` until a stage has parsed it.
    pub entry: Option<Entry>,
    /// What kind of request it was; `None` until a stage has classified it.
    pub class: Option<Class>,
    /// Whatever else the stages found out about this line.
    pub labels: Vec<Label>,
}

/// The fields of one line in Combined Log Format, unescaped. What the log gives as `-` is `None`.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct Entry {
    /// Address or name of the client. Text, as a stage may mask it.
    pub client: String,
    /// The user who logged in.
    pub user: Option<String>,
    /// When the request came, in seconds since 1970-01-01 UTC.
    pub time: i64,
    /// The request's method: `GET`.
    pub method: String,
    /// What was asked for, with its query: `/search?q=rust`.
    pub target: String,
    /// The protocol: `HTTP/1.1`.
    pub protocol: String,
    /// The status of the answer, 100 to 599.
    pub status: u16,
    /// The size of the answer's body in bytes.
    pub size: u64,
    /// The page that the client came from.
    pub referer: Option<String>,
    /// What the client calls itself.
    pub agent: Option<String>,
}

/// What kind of request a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, polyplug::Type)]
pub struct Class {
    /// Who asked.
    pub agent: AgentClass,
    /// How it ended.
    pub status: StatusClass,
}

/// Who asked, going by the user agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, polyplug::Type)]
pub enum AgentClass {
    /// A browser on a desktop computer.
    Browser,
    /// A browser on a phone or tablet.
    Mobile,
    /// A crawler, a preview fetcher or a monitor.
    Bot,
    /// A command-line tool or an HTTP library.
    Tool,
    /// A feed reader.
    FeedReader,
    /// Nothing that is known, or nothing at all.
    Unknown,
}

/// The hundreds of a status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, polyplug::Type)]
pub enum StatusClass {
    /// 1xx
    Informational,
    /// 2xx
    Success,
    /// 3xx
    Redirection,
    /// 4xx
    ClientError,
    /// 5xx
    ServerError,
}

/// One finding of a stage about a record, such as `country` = `NZ`.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct Label {
    /// What was found out.
    pub key: String,
    /// What it is.
    pub value: String,
}

/// What a stage makes of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, polyplug::Type)]
pub struct Batch {
    /// What goes on to the next stage.
    pub records: Vec<Record>,
    /// What goes no further because something is wrong with it.
    pub rejected: Vec<Rejected>,
}

/// A line that goes no further, and why.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub struct Rejected {
    /// Where the line stands in the log, from 1.
    pub line: u64,
    /// The line as read.
    pub raw: String,
    /// What is wrong, in words that are the same for every such line, as rejects are counted by it: `bad status`.
    pub reason: String,
    /// What is wrong with this line in particular: `"2O0" is not a number from 100 to 599`.
    pub detail: String,
}

/// What a stage gives back at the end of the log.
#[derive(Debug, Clone, Default, PartialEq, polyplug::Type)]
pub struct Flush {
    /// What the stage held back until now. It goes through the stages after this one before they are flushed.
    pub batch: Batch,
    /// What the stage found out about the log as a whole.
    pub reports: Vec<Report>,
}

/// A titled table.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Report {
    /// The line above the table.
    pub title: String,
    /// The heads of its columns, with the unit where there is one: `share %`.
    pub columns: Vec<String>,
    /// Its rows, each with one cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// One cell of a report. The host decides how numbers look.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
}

/// Why a stage cannot process a batch.
#[derive(Debug, Clone, PartialEq, Eq, polyplug::Type)]
pub enum StageError {
    /// A record lacks what an earlier stage fills in.
    Missing {
        /// The line of that record.
        line: u64,
        /// The field that is empty: `entry`.
        field: String,
    },
    /// Anything else.
    Failed {
        /// What happened.
        reason: String,
    },
}

impl Record {
    /// A line nobody has looked at yet.
    #[must_use]
    pub fn new(line: u64, raw: impl Into<String>) -> Self {
        Self { line, raw: raw.into(), entry: None, class: None, labels: Vec::new() }
    }

    /// The parsed fields, for a stage that cannot do without.
    ///
    /// # Errors
    ///
    /// [`StageError::Missing`] when no earlier stage has parsed the line.
    pub fn parsed(&self) -> Result<&Entry, StageError> {
        self.entry.as_ref().ok_or_else(|| StageError::Missing { line: self.line, field: "entry".into() })
    }
}

impl From<Vec<Record>> for Batch {
    /// A batch that passes on everything.
    fn from(records: Vec<Record>) -> Self {
        Self { records, rejected: Vec::new() }
    }
}

impl From<CallError> for StageError {
    /// What the stage calls, the host or a peer, has failed.
    fn from(error: CallError) -> Self {
        Self::Failed { reason: error.to_string() }
    }
}

impl From<u16> for StatusClass {
    fn from(status: u16) -> Self {
        match status {
            ..200 => Self::Informational,
            200..300 => Self::Success,
            300..400 => Self::Redirection,
            400..500 => Self::ClientError,
            500.. => Self::ServerError,
        }
    }
}

impl fmt::Display for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { line, field } => write!(
                f,
                "line {line} has no `{field}`: put the stage that fills it in before this one in the configuration"
            ),
            Self::Failed { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for StageError {}
