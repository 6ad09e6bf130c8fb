//! The files of one folder, as a watcher sees them.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::debounce::{Debouncer, Timing};
use super::error::WatchError;
use super::system::{Change, ChangeKind, System};
use super::watch_set::{View, WatchSet};
use crate::host::bundle::fingerprint::Fingerprint;

/// The greatest number of looks for new directories in directories that were just found.
const ROUNDS: usize = 8;

/// The files of one folder that is watched.
pub(crate) struct WatchedFiles {
    watch_set: WatchSet,
    pub(crate) debouncer: Debouncer<Fingerprint>,
    /// Files that were written to and have not been closed.
    open: HashSet<PathBuf>,
}

impl WatchedFiles {
    /// Makes files whose first look is due at once.
    pub(crate) fn new(timing: Timing, now: Instant) -> Self {
        Self { watch_set: WatchSet::default(), debouncer: Debouncer::new(timing, now), open: HashSet::new() }
    }

    /// Returns the directories to watch.
    pub(crate) fn watched(&self) -> impl Iterator<Item = &Path> {
        self.watch_set.watched()
    }

    /// Returns whether a file is open for writing, as far as the system has reported.
    pub(crate) fn is_being_written(&self) -> bool {
        self.open.iter().any(|path| path.exists())
    }

    /// Forgets which files are open for writing.
    pub(crate) fn forget_open(&mut self) {
        self.open.clear();
    }

    /// Notes a change, if it concerns these files.
    pub(crate) fn notice(&mut self, change: &Change, now: Instant) {
        if change.kind == ChangeKind::Unknown {
            self.open.clear();
            self.debouncer.on_change(now);
        }
        let watch_set = &self.watch_set;
        for path in change.paths.iter().filter(|path| concerns(watch_set, change.kind, path)) {
            match change.kind {
                // Only these systems report when a file is closed.
                ChangeKind::Written if cfg!(any(target_os = "linux", target_os = "android")) => {
                    self.open.insert(path.clone());
                }
                ChangeKind::Closed | ChangeKind::Exchanged => {
                    self.open.remove(path);
                }
                _ => {}
            }
            self.debouncer.on_change(now);
        }
    }

    /// Watches the directories of the files, then looks at the files, so that no later change is missed. Returns the
    /// look, and the error of a directory that cannot be watched.
    pub(crate) fn watch(&mut self, system: &mut System, look: impl Fn() -> View) -> (View, Result<(), WatchError>) {
        let mut view = look();
        let mut outcome = Ok(());
        for _ in 0..ROUNDS {
            match watch_all(system, &view.watch_set) {
                Ok(false) => break,
                Ok(true) => {}
                Err(error) => outcome = Err(error),
            }
            // The files may have changed between the look and the watch.
            view = look();
        }
        self.watch_set = std::mem::take(&mut view.watch_set);
        (view, outcome)
    }
}

/// Returns whether another program lets nobody read one of the files that were found in `directory`. `false` where a
/// program cannot do that.
pub(crate) fn are_locked(directory: &Path, found: &Fingerprint) -> bool {
    /// `ERROR_SHARING_VIOLATION` of Windows.
    const SHARING_VIOLATION: i32 = 32;
    let is_locked = |file: &Path| {
        File::open(directory.join(file)).is_err_and(|error| error.raw_os_error() == Some(SHARING_VIOLATION))
    };
    cfg!(windows) && found.files().any(is_locked)
}

/// Returns whether a change of `path` concerns the files of a watch set.
pub(crate) fn concerns(watch_set: &WatchSet, kind: ChangeKind, path: &Path) -> bool {
    watch_set.covers(path) || (kind == ChangeKind::Exchanged && watch_set.are_below(path))
}

/// Watches the directories of a watch set. Returns whether one is watched now that was not before.
pub(crate) fn watch_all(system: &mut System, watch_set: &WatchSet) -> Result<bool, WatchError> {
    let (mut grown, mut outcome) = (false, Ok(()));
    for place in watch_set.watched() {
        match system.add(place) {
            Ok(new) => grown |= new,
            Err(error @ WatchError::Unwatchable { .. }) if !watch_set.need(place) => {
                tracing::debug!(%error, "nobody will see it if the folder is exchanged as a whole");
            }
            Err(error) => outcome = Err(error),
        }
    }
    outcome.map(|()| grown)
}
