//! The watcher that a host holds.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, ThreadId};

use super::debounce::Timing;
use super::directory::Directory;
use super::error::WatchError;
use super::options::WatchOptions;
use super::worker::{Signal, Worker};
use crate::host::abi::log::report;
use crate::host::bundle::file::absolute;
use crate::host::error::runtime::RuntimeError;
use crate::host::runtime::dir_report::DirReport;
use crate::host::runtime::runtime::Runtime;
use crate::host::runtime::time_limit::logical_thread;
use crate::host::waits::Task;

/// A watcher of the directories that a runtime's bundles were loaded from, which reloads the bundles that change. Made
/// by [`Runtime::watch`] and [`Runtime::watch_dir`].
///
/// A watcher watches until it is dropped or [stopped](Self::stop), or until the runtime ends. A watcher does not keep
/// the runtime.
#[must_use = "watching ends when the watcher is dropped"]
#[derive(Debug)]
pub struct Watcher {
    signals: Sender<Signal>,
    over: Arc<AtomicBool>,
    id: ThreadId,
    /// The watcher's work, for which [`stop`](Self::stop) waits.
    task: Arc<Task>,
    thread: Mutex<Option<JoinHandle<()>>>,
    report: Option<DirReport>,
}

impl Runtime {
    /// Watches the directories that the loaded bundles came from, and those of bundles that are loaded later. A bundle
    /// is reloaded when its files have changed and have then stayed unchanged for a while. The subscribers of
    /// [`on_event`](Runtime::on_event) are called, as for every reload.
    ///
    /// Changes between the load of a bundle and this call are noticed as well.
    ///
    /// # Errors
    ///
    /// [`WatchError::HotReloadDisabled`] unless hot reload is on, [`WatchError::DirectoryMissing`], or the reason why
    /// the system cannot watch a directory.
    pub fn watch(self: &Arc<Self>) -> Result<Watcher, WatchError> {
        self.watch_with(WatchOptions::default())
    }

    /// Does the same as [`watch`](Self::watch), with options.
    ///
    /// # Errors
    ///
    /// The errors of [`watch`](Self::watch).
    pub fn watch_with(self: &Arc<Self>, options: WatchOptions) -> Result<Watcher, WatchError> {
        if !self.config().hot_reload_enabled {
            return Err(WatchError::HotReloadDisabled);
        }
        Watcher::start(self, options, None)
    }

    /// Loads all bundles in `directory`, as [`load_dir`](Self::load_dir) does, and keeps the loaded bundles as the
    /// directory is:
    ///
    /// - A bundle whose files change is reloaded. A bundle that could not be loaded is tried again when its files
    ///   change, and when the contracts that it needs are provided.
    /// - A bundle that comes is loaded after those that it needs, once its files are complete.
    /// - A bundle whose folder is gone is unloaded, unless the options [say otherwise](WatchOptions::keep_removed), or
    ///   another loaded bundle needs it. If the bundle is in another folder of the directory by then, it is reloaded
    ///   from there.
    /// - While the directory itself is gone, its bundles serve on.
    ///
    /// A bundle that the host unloads stays unloaded until its files change.
    ///
    /// The [report](Watcher::report) of the watcher says what was loaded at the start. Later changes and failures are
    /// [events](Self::on_event), and in the log.
    ///
    /// # Errors
    ///
    /// [`WatchError::HotReloadDisabled`] unless hot reload is on, [`WatchError::Directory`] if the directory does not
    /// exist or cannot be read, or the reason why the system cannot watch a directory; the bundles that were loaded by then
    /// stay loaded. A bundle that cannot be loaded is no error.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = polyplug::Runtime::builder()
    ///     // .loader(polyplug_native::NativeLoader::new())
    ///     .hot_reload(true)
    ///     .build()?;
    /// runtime.on_event(|event| println!("{event}")).detach();
    /// let watcher = runtime.watch_dir("plugins")?;
    /// if let Some(report) = watcher.report() {
    ///     println!("{report}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn watch_dir(self: &Arc<Self>, directory: impl AsRef<Path>) -> Result<Watcher, WatchError> {
        self.watch_dir_at(directory.as_ref(), WatchOptions::default())
    }

    /// Does the same as [`watch_dir`](Self::watch_dir), with options.
    ///
    /// # Errors
    ///
    /// The errors of [`watch_dir`](Self::watch_dir).
    #[inline]
    pub fn watch_dir_with(
        self: &Arc<Self>,
        directory: impl AsRef<Path>,
        options: WatchOptions,
    ) -> Result<Watcher, WatchError> {
        self.watch_dir_at(directory.as_ref(), options)
    }

    fn watch_dir_at(self: &Arc<Self>, directory: &Path, options: WatchOptions) -> Result<Watcher, WatchError> {
        if !self.config().hot_reload_enabled {
            return Err(WatchError::HotReloadDisabled);
        }
        let root = absolute(directory).map_err(|source| {
            let directory = directory.to_owned();
            WatchError::Directory(Box::new(RuntimeError::DirectoryUnreadable { directory, source: source.into() }))
        })?;
        Watcher::start(self, options, Some(root))
    }
}

impl Watcher {
    fn start(runtime: &Arc<Runtime>, options: WatchOptions, root: Option<PathBuf>) -> Result<Self, WatchError> {
        let (signals, receive) = mpsc::channel();
        let over = Arc::new(AtomicBool::new(false));
        let timing = Timing { debounce: options.debounce, patience: options.patience };
        let directory = root.map(|root| Directory::new(root, options.keeps_removed, timing));
        let (worker, report) = Worker::new(runtime, timing, directory, signals.clone(), receive, Arc::clone(&over))?;
        let task = Task::new("a reload by the watcher".to_owned());
        let thread = std::thread::Builder::new().name("polyplug-watch".to_owned()).spawn({
            let task = Arc::clone(&task);
            move || task.run(|| worker.run())
        });
        let thread = thread.map_err(|source| WatchError::NotStarted { source })?;
        Ok(Self { signals, over, id: thread.thread().id(), task, thread: Mutex::new(Some(thread)), report })
    }

    /// Stops watching. After this call has returned, the watcher reloads no bundle, and its threads have ended.
    ///
    /// The call waits for a reload that the watcher has begun. Such a reload may take as long as the runtime's
    /// [limit](crate::runtime::RuntimeBuilder::reload_limit), so the caller must not hold a lock that a callback of the
    /// runtime or a plugin takes. A call from within such a reload, by a callback or a plugin, does not wait, nor
    /// does a call by a thread that the reload waits for: the reload is the watcher's last.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Release);
        let _ = self.signals.send(Signal::Stop); // an error if the thread has ended already
        if logical_thread() == self.id {
            return;
        }
        let Some(_awaiting) = Task::awaiting(&self.task) else { return };
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(payload)) = thread.take().map(JoinHandle::join) {
            report!(ERROR, "the watcher's thread panicked: {}", crate::guest::describe_panic(payload));
        }
    }

    /// Returns what was loaded when the watcher of a [directory](Runtime::watch_dir) was made, with all problems. `None`
    /// for the watcher of loaded bundles.
    #[must_use]
    pub fn report(&self) -> Option<&DirReport> {
        self.report.as_ref()
    }

    /// Returns whether the watcher still watches: it has not been stopped, and the runtime has not ended.
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
