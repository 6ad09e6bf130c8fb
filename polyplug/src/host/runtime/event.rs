//! The events of bundles, as a host sees them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::info::BundleInfo;
use super::report::{Holder, ReloadReport, UnloadReport, held_by};
use crate::host::error::runtime::RuntimeError;

/// An event of a bundle: a change, the failure of one, or an observation of a watcher. From
/// [`Runtime::on_event`](crate::Runtime::on_event).
///
/// The [`Display`](fmt::Display) of an event is one line for a log, with the bundle's name, version and id.
///
/// ```
/// # fn main() -> Result<(), polyplug::error::RuntimeError> {
/// use polyplug::{Event, EventKind, Runtime};
///
/// let runtime = Runtime::builder().build()?;
/// let subscription = runtime.on_event(|event: &Event| match &event.kind {
///     EventKind::Failed(error) => eprintln!("{} has failed: {error}", event.bundle.name),
///     _ => println!("{event}"),
/// });
/// # drop(subscription);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// The bundle, as it is at the event. At [`Reloading`](EventKind::Reloading), and at the
    /// [`Failed`](EventKind::Failed) of a reload, the description is that of the version that serves. At
    /// [`Reclaimed`](EventKind::Reclaimed) and [`StillMapped`](EventKind::StillMapped), the description is that of the
    /// version that was retired.
    ///
    /// The description of a bundle whose first load failed has no plugins. If not even the manifest can be read, the
    /// name is that of the folder, and the version is 0.0.0.
    pub bundle: BundleInfo,
    /// The kind of the event, with its details.
    pub kind: EventKind,
    operation: Operation,
    serves: bool,
}

/// A kind of events.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EventKind {
    /// The bundle is loaded, and its plugins serve.
    Loaded,
    /// A new version of the bundle is about to be loaded beside the version that serves.
    Reloading,
    /// The new version of the bundle serves. The report says what was migrated, restarted and drained. It is made when
    /// the new version begins to serve, so the old version is not reclaimed yet.
    Reloaded(ReloadReport),
    /// A load, a reload or an unload of the bundle has failed. After a failed reload or unload the version that served
    /// before serves on. See [`Event::operation`].
    Failed(Arc<RuntimeError>),
    /// The bundle is about to be unloaded, and still serves.
    Unloading,
    /// The bundle no longer serves. The report is made at that moment, so the bundle is not reclaimed yet: its holders
    /// are those that delay the end of its code.
    Unloaded(UnloadReport),
    /// A version that no longer serves is reclaimed, and its code was measured to be gone.
    Reclaimed,
    /// The code of a version that no longer serves stays in memory.
    #[non_exhaustive]
    StillMapped {
        /// The reason, as text.
        reason: String,
        /// The known leases on the version.
        holders: Vec<Holder>,
        /// The names of the version's threads that have not ended.
        threads: Vec<String>,
        /// `true` if the version is reclaimed all the same, so that no other event of this version follows. Otherwise
        /// the version is held, and another event follows when it is reclaimed.
        reclaimed: bool,
    },
    /// A watcher has seen that files of the bundle have changed, and will reload the bundle when they are complete.
    FilesChanged,
    /// A watcher waits with the reload until the bundle's files are complete.
    #[non_exhaustive]
    Waiting {
        /// What the watcher waits for, as text.
        reason: String,
    },
    /// A watcher has seen that the bundle's folder has vanished.
    #[non_exhaustive]
    FolderVanished {
        /// The folder.
        directory: PathBuf,
    },
    /// A watcher tries again what has failed before.
    Retrying,
}

/// The operation that an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// The load of a bundle that does not serve yet.
    Load,
    /// The replacement of the version that serves.
    Reload,
    /// The unload of a bundle.
    Unload,
}

impl Event {
    /// Makes an event. `serves` says whether a version of the bundle serves, for the events of failures.
    pub(crate) fn new(bundle: BundleInfo, kind: EventKind, operation: Operation, serves: bool) -> Self {
        Self { bundle, kind, operation, serves }
    }

    /// Returns the operation that the event belongs to: for [`Failed`](EventKind::Failed) the operation that has failed,
    /// for [`Reclaimed`](EventKind::Reclaimed) and [`StillMapped`](EventKind::StillMapped) the operation that retired
    /// the version, and for the events of a watcher the operation that the watcher intends.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns whether this is the failure of a reload after which the version that served before serves on.
    pub(crate) fn is_failed_reload(&self) -> bool {
        matches!(self.kind, EventKind::Failed(_)) && self.operation == Operation::Reload && self.serves
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BundleInfo { name, version, id, .. } = &self.bundle;
        write!(f, "bundle `{name}` {version} ({id}): ")?;
        let text = match (&self.kind, self.operation) {
            (EventKind::Failed(error), Operation::Load) => format!("could not be loaded: {error}"),
            (EventKind::Failed(error), Operation::Unload) => format!("could not be unloaded: {error}"),
            (EventKind::Failed(error), Operation::Reload) if self.serves => {
                format!("could not be reloaded, and the old version serves on: {error}")
            }
            (EventKind::Failed(error), Operation::Reload) => format!("could not be reloaded: {error}"),
            (kind, _) => self.text(kind),
        };
        one_line(f, &text)
    }
}

impl Event {
    /// Returns the text of an event that is not a failure.
    fn text(&self, kind: &EventKind) -> String {
        match kind {
            EventKind::Loaded => match (&self.bundle.directory, self.bundle.loader) {
                (Some(directory), Some(loader)) => format!("loaded from {} ({loader})", directory.display()),
                (None, Some(loader)) => format!("loaded from memory ({loader})"),
                (_, None) => "loaded (part of the program)".to_owned(),
            },
            EventKind::Reloading => "a new version is about to be loaded".to_owned(),
            EventKind::Reloaded(report) => format!("reloaded{}", report.instances()),
            EventKind::Failed(error) => error.to_string(),
            EventKind::Unloading => "is about to be unloaded".to_owned(),
            EventKind::Unloaded(report) => match held_by(&report.holders, &report.threads) {
                Some(holders) => format!("unloaded; its code is held by {holders}"),
                None => "unloaded".to_owned(),
            },
            EventKind::Reclaimed => "a retired version is reclaimed, and its code is gone".to_owned(),
            EventKind::StillMapped { reason, .. } => format!("the code of a retired version stays in memory: {reason}"),
            EventKind::FilesChanged => "its files have changed".to_owned(),
            EventKind::Waiting { reason } => format!("its files have changed, and the reload waits for {reason}"),
            EventKind::FolderVanished { directory } => format!("its folder {} has vanished", directory.display()),
            EventKind::Retrying => "is tried again".to_owned(),
        }
    }
}

/// Writes a text with its lines joined.
fn one_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for (number, line) in text.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let separator = if number == 0 { "" } else { "; " };
        write!(f, "{separator}{line}")?;
    }
    Ok(())
}
