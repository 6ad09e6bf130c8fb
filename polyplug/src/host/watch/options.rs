//! How a watcher goes about its work.

use std::time::Duration;

/// How a [`Watcher`] goes about it. For [`Runtime::watch_with`](crate::Runtime::watch_with).
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
}

/// The longest either duration may be.
const LONGEST: Duration = Duration::from_secs(3600);

impl Default for WatchOptions {
    fn default() -> Self {
        Self { debounce: Duration::from_millis(200), patience: Duration::from_secs(2) }
    }
}

impl WatchOptions {
    /// For how long a bundle's files must not have changed before they are loaded. 200 milliseconds by default.
    pub fn debounce(mut self, duration: Duration) -> Self {
        self.debounce = duration.min(LONGEST);
        self
    }

    /// For how long files that do not look whole (the artifact is truncated, the manifest is no TOML, somebody has a
    /// file open for writing) must not have changed before they are taken for finished all the same. Two seconds by
    /// default.
    pub fn patience(mut self, duration: Duration) -> Self {
        self.patience = duration.min(LONGEST);
        self
    }
}
