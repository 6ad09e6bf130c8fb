//! The system's watcher: which directories it watches, and what it tells.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::error::WatchError;

/// Something that happened to files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// Something was written into a file.
    Written,
    /// A file that was open for writing is closed.
    Closed,
    /// Anything else about a file or directory itself.
    Touched,
    /// Under this name there may be another file or directory than before, or none.
    Exchanged,
    /// The system lost count. Anything may have happened.
    Unknown,
}

impl Change {
    /// What `event` means; nothing if it is not about a change.
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

/// How long the end of the system's watcher may take.
const END: Duration = Duration::from_secs(5);

/// The system's watcher.
pub(crate) struct System {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    /// Disconnected when the watcher's own thread has ended.
    ended: Receiver<()>,
}

impl System {
    /// A watcher of nothing. It tells `told` on a thread of its own.
    pub(crate) fn new(told: impl Fn(Change) + Send + 'static) -> Result<Self, WatchError> {
        let (alive, ended) = mpsc::channel::<()>();
        let handler = move |event| {
            let _lives_as_long = &alive;
            if let Some(change) = Change::of(event) {
                told(change);
            }
        };
        let watcher = notify::recommended_watcher(handler).map_err(not_started)?;
        Ok(Self { watcher: Some(watcher), watched: BTreeSet::new(), ended })
    }

    /// Watches a directory; whether it was not watched before. One that is not there is passed over.
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

    /// Watches no more than these directories.
    pub(crate) fn keep(&mut self, wanted: &BTreeSet<&Path>) {
        let Some(watcher) = &mut self.watcher else { return };
        self.watched.retain(|directory| {
            let keep = wanted.contains(directory.as_path());
            if !keep {
                // It may be gone, and its watch with it.
                let _ = watcher.unwatch(directory);
            }
            keep
        });
    }

    /// Gives up what is watched at `path` and below it, for it may not be what is there now.
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

    /// Gives up everything.
    pub(crate) fn forget_all(&mut self) {
        self.keep(&BTreeSet::new());
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // The watcher tells its thread to end and does not wait.
        drop(self.watcher.take());
        let _ = self.ended.recv_timeout(END);
    }
}

fn not_started(error: notify::Error) -> WatchError {
    /// `EMFILE`, of Linux.
    const TOO_MANY_FILES: i32 = 24;
    match into_io(error) {
        source if cfg!(target_os = "linux") && source.raw_os_error() == Some(TOO_MANY_FILES) => {
            WatchError::TooManyWatchers { source }
        }
        source => WatchError::NotStarted { source },
    }
}

/// The error of watching `directory`; none if that is not there.
fn not_watched(directory: &Path, error: notify::Error) -> Option<WatchError> {
    let directory = directory.to_owned();
    match error.kind {
        ErrorKind::PathNotFound => None,
        ErrorKind::MaxFilesWatch => Some(WatchError::TooManyDirectories { directory }),
        _ => match into_io(error) {
            gone if matches!(gone.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
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
