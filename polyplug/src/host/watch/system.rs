//! The watcher of the operating system: the directories that it watches, and the changes that it reports.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::error::WatchError;

/// A change of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) paths: Vec<PathBuf>,
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// A write into a file.
    Written,
    /// The close of a file that was open for writing.
    Closed,
    /// Another change of a file or directory itself, such as of its permissions.
    Touched,
    /// A change of a name, which may now stand for another file or directory, or for none.
    Exchanged,
    /// A loss of events: any file may have changed.
    Unknown,
}

impl Change {
    /// Returns the change that `event` reports, or `None` if `event` does not report a change.
    fn of(event: notify::Result<notify::Event>) -> Option<Self> {
        let Ok(event) = event else { return Some(Self { kind: ChangeKind::Unknown, paths: Vec::new() }) };
        let kind = match event.kind {
            _ if event.need_rescan() => ChangeKind::Unknown,
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => ChangeKind::Closed,
            EventKind::Access(_) => return None,
            EventKind::Modify(ModifyKind::Data(_)) => ChangeKind::Written,
            EventKind::Modify(ModifyKind::Metadata(_)) => ChangeKind::Touched,
            _ => ChangeKind::Exchanged,
        };
        Some(Self { kind, paths: event.paths })
    }
}

/// The longest wait for the end of the system's watcher.
const END: Duration = Duration::from_secs(5);

/// The system's watcher.
pub(crate) struct System {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    /// A channel that is disconnected when the watcher's own thread has ended.
    ended: Receiver<()>,
}

impl System {
    /// Makes a watcher of no directories. The watcher calls `on_change` on a thread of its own.
    pub(crate) fn new(on_change: impl Fn(Change) + Send + 'static) -> Result<Self, WatchError> {
        let (alive, ended) = mpsc::channel::<()>();
        let handler = move |event| {
            let _owned_by_handler = &alive; // dropped with the handler, when the thread ends
            if let Some(change) = Change::of(event) {
                on_change(change);
            }
        };
        let watcher = notify::recommended_watcher(handler).map_err(not_started)?;
        Ok(Self { watcher: Some(watcher), watched: BTreeSet::new(), ended })
    }

    /// Watches a directory. Returns whether the directory is watched now and was not before. A directory that does not
    /// exist is skipped.
    pub(crate) fn add(&mut self, directory: &Path) -> Result<bool, WatchError> {
        let Some(watcher) = &mut self.watcher else { return Ok(false) };
        if self.watched.contains(directory) {
            return Ok(false);
        }
        match watcher.watch(directory, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(directory.to_owned());
                Ok(true)
            }
            Err(error) => match not_watched(directory, error) {
                None => Ok(false),
                Some(error) => Err(error),
            },
        }
    }

    /// Stops watching all directories but `wanted`.
    pub(crate) fn keep(&mut self, wanted: &BTreeSet<&Path>) {
        let Some(watcher) = &mut self.watcher else { return };
        self.watched.retain(|directory| {
            let keep = wanted.contains(directory.as_path());
            if !keep {
                // The system has ended the watch itself if the directory was removed.
                let _ = watcher.unwatch(directory);
            }
            keep
        });
    }

    /// Stops watching `path` and the directories below it, for the name may stand for another directory now.
    pub(crate) fn forget(&mut self, path: &Path) {
        let Some(watcher) = &mut self.watcher else { return };
        self.watched.retain(|directory| {
            let keep = !directory.starts_with(path);
            if !keep {
                let _ = watcher.unwatch(directory);
            }
            keep
        });
    }

    /// Stops watching all directories.
    pub(crate) fn forget_all(&mut self) {
        self.keep(&BTreeSet::new());
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // The drop of the watcher asks its thread to end, and does not wait for it.
        drop(self.watcher.take());
        let _ = self.ended.recv_timeout(END);
    }
}

fn not_started(error: notify::Error) -> WatchError {
    /// `EMFILE` on Linux.
    const TOO_MANY_FILES: i32 = 24;
    match into_io(error) {
        source if cfg!(target_os = "linux") && source.raw_os_error() == Some(TOO_MANY_FILES) => {
            WatchError::TooManyWatchers { source }
        }
        source => WatchError::NotStarted { source },
    }
}

/// Returns the error of watching `directory`, or `None` if `directory` does not exist.
fn not_watched(directory: &Path, error: notify::Error) -> Option<WatchError> {
    let directory = directory.to_owned();
    match error.kind {
        ErrorKind::PathNotFound => None,
        ErrorKind::MaxFilesWatch => Some(WatchError::TooManyDirectories { directory }),
        _ => match into_io(error) {
            missing if matches!(missing.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
            source => Some(WatchError::Unwatchable { directory, source }),
        },
    }
}

fn into_io(error: notify::Error) -> io::Error {
    match error.kind {
        ErrorKind::Io(error) => error,
        _ => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_named() {
        let directory = Path::new("/plugins/calc");
        let error = not_watched(directory, notify::Error::new(ErrorKind::MaxFilesWatch)).unwrap();
        assert!(matches!(error, WatchError::TooManyDirectories { .. }));
        let text = error.to_string();
        assert!(text.contains("/plugins/calc") && text.contains("fs.inotify.max_user_watches"), "{text}");
        assert!(not_watched(directory, notify::Error::path_not_found()).is_none());
        let denied = notify::Error::io(io::ErrorKind::PermissionDenied.into());
        assert!(matches!(not_watched(directory, denied), Some(WatchError::Unwatchable { .. })));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_limit_of_watchers_is_named() {
        let error = not_started(notify::Error::io(io::Error::from_raw_os_error(24)));
        assert!(matches!(error, WatchError::TooManyWatchers { .. }));
        assert!(error.to_string().contains("fs.inotify.max_user_instances"), "{error}");
    }

    #[test]
    fn reading_is_no_change() {
        use notify::Event;
        use notify::event::{CreateKind, DataChange, Flag, RenameMode};
        let kind = |kind| Change::of(Ok(Event::new(kind))).map(|change| change.kind);
        assert_eq!(kind(EventKind::Access(AccessKind::Open(AccessMode::Any))), None);
        assert_eq!(kind(EventKind::Access(AccessKind::Close(AccessMode::Read))), None);
        assert_eq!(kind(EventKind::Access(AccessKind::Close(AccessMode::Write))), Some(ChangeKind::Closed));
        assert_eq!(kind(EventKind::Modify(ModifyKind::Data(DataChange::Any))), Some(ChangeKind::Written));
        assert_eq!(kind(EventKind::Modify(ModifyKind::Name(RenameMode::To))), Some(ChangeKind::Exchanged));
        assert_eq!(kind(EventKind::Create(CreateKind::File)), Some(ChangeKind::Exchanged));
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(Change::of(Ok(lost)).map(|change| change.kind), Some(ChangeKind::Unknown));
        assert_eq!(Change::of(Err(notify::Error::generic("?"))).map(|change| change.kind), Some(ChangeKind::Unknown));
    }
}
