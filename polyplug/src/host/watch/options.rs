//! The options of a watcher.

use std::time::Duration;

/// The options of a [`Watcher`](crate::watch::Watcher), for [`Runtime::watch_with`](crate::Runtime::watch_with) and
/// [`Runtime::watch_dir_with`](crate::Runtime::watch_dir_with).
///
/// ```
/// use std::time::Duration;
/// use polyplug::watch::WatchOptions;
///
/// let options = WatchOptions::default().debounce(Duration::from_millis(50));
/// # drop(options);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct WatchOptions {
    pub(crate) debounce: Duration,
    pub(crate) patience: Duration,
    pub(crate) keeps_removed: bool,
}

/// The longest duration that an option may have.
const LONGEST: Duration = Duration::from_secs(3600);

impl Default for WatchOptions {
    fn default() -> Self {
        Self { debounce: Duration::from_millis(200), patience: Duration::from_secs(2), keeps_removed: false }
    }
}

impl WatchOptions {
    /// Sets the time for which a bundle's files must not have changed before they are loaded. 200 milliseconds by
    /// default.
    pub fn debounce(mut self, duration: Duration) -> Self {
        self.debounce = duration.min(LONGEST);
        self
    }

    /// Sets the time for which files that look incomplete must not have changed before they are taken for complete.
    /// Files look incomplete if the artifact is truncated, the manifest is not TOML, or a process has a file open for
    /// writing. Two seconds by default.
    pub fn patience(mut self, duration: Duration) -> Self {
        self.patience = duration.min(LONGEST);
        self
    }

    /// Sets whether a bundle stays loaded when its folder is removed from a folder of bundles that is watched. Otherwise
    /// the bundle is unloaded when its folder has been gone for the [patience](Self::patience). `false` by default. Has
    /// no effect on bundles that [`Runtime::watch`](crate::Runtime::watch) watches, which stay loaded.
    pub fn keep_removed(mut self, keep: bool) -> Self {
        self.keeps_removed = keep;
        self
    }
}
