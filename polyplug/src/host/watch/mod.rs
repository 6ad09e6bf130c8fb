//! Watching the directories of loaded bundles, and reloading what changes there.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = polyplug::Runtime::builder()
//!     // .loader(polyplug_native::NativeLoader::new())
//!     .hot_reload(true)
//!     .on_reload(|_, event| println!("{:?}", event.phase_type))
//!     .build()?;
//! runtime.load_bundle("plugins/calc".as_ref())?;
//! let watcher = runtime.watch()?;
//! // .. from here on a build that writes into `plugins/calc` is all it takes ..
//! watcher.stop();
//! # Ok(())
//! # }
//! ```
//!
//! Inside: the `system` tells what happened in which directory, `places` knows which directories matter, `pace` when to
//! look and when to act, and the `worker`, a thread, brings them together.

mod debounce;
mod error;
mod system;
pub(crate) mod target;
mod watch_set;
pub(crate) mod worker;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, ThreadId};
use std::time::Duration;

pub(crate) use debounce::Condition;
use debounce::Tempo;
pub use error::WatchError;
use worker::{Signal, Worker};

use crate::host::runtime::runtime::Runtime;

/// How a [`Watcher`] goes about it. For [`Runtime::watch_with`].
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
    debounce: Duration,
    patience: Duration,
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

/// Watches the directories that a runtime's bundles were loaded from, and reloads what changes. From
/// [`Runtime::watch`].
///
/// It watches until it is dropped or [stopped](Self::stop), or the runtime ends, which it does not keep from that.
#[must_use = "watching ends when the watcher is dropped"]
#[derive(Debug)]
pub struct Watcher {
    signals: Sender<Signal>,
    over: Arc<AtomicBool>,
    id: ThreadId,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Watcher {
    pub(crate) fn start(runtime: &Arc<Runtime>, options: WatchOptions) -> Result<Self, WatchError> {
        let (signals, receive) = mpsc::channel();
        let over = Arc::new(AtomicBool::new(false));
        let tempo = Tempo { debounce: options.debounce, patience: options.patience };
        let worker = Worker::new(runtime, tempo, signals.clone(), receive, Arc::clone(&over))?;
        let thread = std::thread::Builder::new().name("polyplug-watch".to_owned()).spawn(|| worker.run());
        let thread = thread.map_err(|source| WatchError::NotStarted { source })?;
        Ok(Self { signals, over, id: thread.thread().id(), thread: Mutex::new(Some(thread)) })
    }

    /// Stops watching. When it returns nothing is reloaded any more, and the watcher's threads have ended.
    ///
    /// It waits for a reload that the watcher has begun, which may take as long as the runtime's limit; so do not hold a
    /// lock then that the runtime's event callback or a plugin takes. Called by one of these, from within such a reload,
    /// it does not wait: that reload is the last.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Release);
        let _ = self.signals.send(Signal::Stop); // an error if it has ended by itself
        if Runtime::acts_for(self.id) {
            return;
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(payload)) = thread.take().map(JoinHandle::join) {
            tracing::error!(panic = crate::guest::describe_panic(payload), "the watcher's thread panicked");
        }
    }

    /// Whether it still watches: it has not been stopped, and the runtime is there.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        !self.over.load(Ordering::Acquire)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop();
    }
}
