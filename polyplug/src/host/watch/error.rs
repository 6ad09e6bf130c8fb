//! The error of watching bundles.

use std::io;
use std::path::PathBuf;

use crate::host::error::runtime::RuntimeError;

/// A reason why bundles cannot be watched.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// Hot reload is off, so a watcher could not reload what it watches.
    #[error(
        "hot reload is disabled, so nothing can be watched: switch it on with `Runtime::builder().hot_reload(true)`"
    )]
    HotReloadDisabled,

    /// The directory that a bundle was loaded from does not exist any more.
    #[error(
        "bundle `{bundle}`: {} is gone, from where it was loaded: put it back, or unload the bundle",
        .directory.display()
    )]
    DirectoryMissing {
        /// The bundle's name.
        bundle: String,
        /// The directory.
        directory: PathBuf,
    },

    /// There is no folder of bundles at the path, or it cannot be read.
    #[error(transparent)]
    Directory(Box<RuntimeError>),

    /// The limit of directories that the system watches for this user is reached.
    #[error(
        "{}: cannot be watched, for the system's limit on watched directories is reached: raise it \
         (on Linux with `sysctl fs.inotify.max_user_watches=524288`), or watch fewer",
        .directory.display()
    )]
    TooManyDirectories {
        /// The first directory beyond the limit.
        directory: PathBuf,
    },

    /// The limit of watchers for this user, or of open files for this process, is reached.
    #[error(
        "no further watcher can be made: {source}: stop other watchers, or raise the limits on them and on open files \
         (on Linux with `sysctl fs.inotify.max_user_instances=1024` and `ulimit -n`)"
    )]
    TooManyWatchers {
        /// The error of the system.
        source: io::Error,
    },

    /// A directory cannot be watched.
    #[error("{}: cannot be watched: {source}", .directory.display())]
    Unwatchable {
        /// The directory.
        directory: PathBuf,
        /// The error of the system.
        source: io::Error,
    },

    /// The system's watcher, or its thread, could not be started.
    #[error("the watcher could not be started: {source}")]
    NotStarted {
        /// The error of the system.
        source: io::Error,
    },
}

crate::debug_text::debug_as_display!(WatchError);
