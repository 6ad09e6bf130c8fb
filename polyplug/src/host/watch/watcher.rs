//! The watcher that a host holds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, ThreadId};

use super::debounce::Timing;
use super::error::WatchError;
use super::options::WatchOptions;
use super::worker::{Signal, Worker};
use crate::host::runtime::runtime::Runtime;
use crate::host::runtime::time_limit::logical_thread;

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

impl Runtime {
    /// Watches the directories that the loaded bundles came from, and those of bundles that are loaded later: whenever
    /// a bundle's files have changed, and have been still for a while, it is reloaded. What becomes of that is told as
    /// for every reload, to the callback given to [`on_reload`](crate::host::builder::RuntimeBuilder::on_reload).
    ///
    /// What changed between the load and this call is noticed as well.
    ///
    /// # Errors
    ///
    /// [`WatchError::HotReloadDisabled`] unless hot reload is on, [`WatchError::DirectoryMissing`], or what keeps the
    /// system from watching.
    pub fn watch(self: &Arc<Self>) -> Result<Watcher, WatchError> {
        self.watch_with(WatchOptions::default())
    }

    /// As [`watch`](Self::watch), with options.
    ///
    /// # Errors
    ///
    /// As for [`watch`](Self::watch).
    pub fn watch_with(self: &Arc<Self>, options: WatchOptions) -> Result<Watcher, WatchError> {
        if !self.config().hot_reload_enabled {
            return Err(WatchError::HotReloadDisabled);
        }
        Watcher::start(self, options)
    }
}

impl Watcher {
    pub(crate) fn start(runtime: &Arc<Runtime>, options: WatchOptions) -> Result<Self, WatchError> {
        let (signals, receive) = mpsc::channel();
        let over = Arc::new(AtomicBool::new(false));
        let timing = Timing { debounce: options.debounce, patience: options.patience };
        let worker = Worker::new(runtime, timing, signals.clone(), receive, Arc::clone(&over))?;
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
        if logical_thread() == self.id {
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
