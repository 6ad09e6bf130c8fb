//! The thread of a watcher.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::time::Instant;

use polyplug_abi::BundleId;

use super::debounce::{Action, Debouncer, Readiness, Timing};
use super::error::WatchError;
use super::system::{Change, ChangeKind, System};
use super::target::{Attempt, Source};
use super::watch_set::{View, WatchSet};
use crate::host::abi::log::report;
use crate::host::bundle::fingerprint::Fingerprint;
use crate::host::runtime::runtime::Runtime;

/// A signal to the thread.
#[derive(Debug)]
pub(crate) enum Signal {
    /// A change of files.
    Files(Change),
    /// A load, reload or unload of a bundle, or a reload that failed.
    Bundles,
    /// The request that the thread ends.
    Stop,
}

/// The greatest number of looks for new directories in directories that were just found.
const ROUNDS: usize = 8;

/// The state of the thread.
pub(crate) struct Worker {
    runtime: Weak<Runtime>,
    timing: Timing,
    signals: Receiver<Signal>,
    /// Set to ask the thread to end, and when it has ended.
    over: Arc<AtomicBool>,
    system: System,
    bundles: BTreeMap<u64, Watched>,
}

/// A bundle that is watched.
struct Watched {
    source: Source,
    watch_set: WatchSet,
    debouncer: Debouncer<Fingerprint>,
    /// Files that were written to and have not been closed.
    open: HashSet<PathBuf>,
    /// True if a reload was prevented because another thread was changing the bundle.
    prevented: bool,
}

impl Watched {
    /// Notes that another thread is changing the bundle. The bundle is looked at again after that change.
    fn prevented(&mut self) {
        self.debouncer.prevented();
        self.prevented = true;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}

impl Worker {
    /// Begins to watch. Changes from now on are kept until [`run`](Self::run) looks at them.
    pub(crate) fn new(
        runtime: &Arc<Runtime>,
        timing: Timing,
        send: Sender<Signal>,
        signals: Receiver<Signal>,
        over: Arc<AtomicBool>,
    ) -> Result<Self, WatchError> {
        let signals_of_bundles = send.clone();
        runtime.bundle_table().observers.add(move || signals_of_bundles.send(Signal::Bundles).is_ok());
        let system = System::new(move |change| {
            let _ = send.send(Signal::Files(change)); // an error if the thread is ending
        })?;
        let weak = Arc::downgrade(runtime);
        let mut this = Self { runtime: weak, timing, signals, over, system, bundles: BTreeMap::new() };
        for (id, directory) in this.sync_bundles(runtime) {
            if !directory.is_dir() {
                let bundle = this.bundles.remove(&id.id()).map(|bundle| bundle.source.name).unwrap_or_default();
                return Err(WatchError::DirectoryMissing { bundle, directory });
            }
            this.view(runtime, id)?;
        }
        Ok(this)
    }

    /// Watches until the thread is asked to end, or the runtime has ended.
    pub(crate) fn run(mut self) {
        loop {
            let first = match self.due() {
                None => self.signals.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => self.signals.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            let mut bundles_changed = false;
            let mut next = match first {
                Ok(signal) => Some(signal),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            while let Some(signal) = next {
                match signal {
                    Signal::Files(change) => self.changed(&change),
                    Signal::Bundles => bundles_changed = true,
                    Signal::Stop => return,
                }
                next = self.signals.try_recv().ok();
            }
            if self.runtime.strong_count() == 0 {
                return;
            }
            if !bundles_changed && self.due().is_none_or(|due| due > Instant::now()) {
                continue; // without an upgrade: the thread holds the runtime only while it works
            }
            let Some(runtime) = self.runtime.upgrade() else { return };
            if bundles_changed {
                self.sync_bundles(&runtime);
            }
            self.poll(&runtime);
        }
    }

    /// Returns the time of the next look, or `None` if none is due.
    fn due(&self) -> Option<Instant> {
        self.bundles.values().filter_map(|bundle| bundle.debouncer.due()).min()
    }

    /// Updates the watched bundles to those that are loaded now. Returns the new ones with their directories.
    fn sync_bundles(&mut self, runtime: &Runtime) -> Vec<(BundleId, PathBuf)> {
        let now = Instant::now();
        let mut before = std::mem::take(&mut self.bundles);
        let mut new = Vec::new();
        for source in runtime.sources() {
            let id = source.id;
            let watched = match before.remove(&id.id()) {
                Some(mut known) if known.source.directory == source.directory => {
                    let prevented = std::mem::take(&mut known.prevented);
                    if prevented || known.source.fingerprint != source.fingerprint {
                        known.debouncer.schedule_now(now);
                    }
                    known.source = source;
                    known
                }
                _ => {
                    new.push((id, source.directory.clone()));
                    let debouncer = Debouncer::new(self.timing, now);
                    Watched {
                        source,
                        watch_set: WatchSet::default(),
                        debouncer,
                        open: HashSet::new(),
                        prevented: false,
                    }
                }
            };
            self.bundles.insert(id.id(), watched);
        }
        if !before.is_empty() {
            self.drop_watch_sets();
        }
        new
    }

    /// Notes a change of files.
    fn changed(&mut self, change: &Change) {
        let now = Instant::now();
        if change.kind == ChangeKind::Unknown {
            self.system.forget_all();
        }
        if change.kind == ChangeKind::Exchanged {
            change.paths.iter().for_each(|path| self.system.forget(path));
        }
        for bundle in self.bundles.values_mut() {
            if change.kind == ChangeKind::Unknown {
                bundle.open.clear();
                bundle.debouncer.on_change(now);
            }
            let exchanged = change.kind == ChangeKind::Exchanged;
            let concerns =
                |path: &Path| bundle.watch_set.covers(path) || (exchanged && bundle.watch_set.are_below(path));
            for path in change.paths.iter().filter(|path| concerns(path)) {
                match change.kind {
                    // Only these systems report when a file is closed.
                    ChangeKind::Written if cfg!(any(target_os = "linux", target_os = "android")) => {
                        bundle.open.insert(path.clone());
                    }
                    ChangeKind::Closed | ChangeKind::Exchanged => {
                        bundle.open.remove(path);
                    }
                    _ => {}
                }
                bundle.debouncer.on_change(now);
            }
        }
    }

    /// Looks at each bundle whose next look is due.
    fn poll(&mut self, runtime: &Arc<Runtime>) {
        let now = Instant::now();
        let due: Vec<_> = self
            .bundles
            .values()
            .filter(|bundle| bundle.debouncer.due().is_some_and(|due| due <= now))
            .map(|bundle| bundle.source.id)
            .collect();
        for id in due {
            if self.over.load(Ordering::Acquire) {
                return;
            }
            self.look_at(runtime, id);
        }
    }

    fn look_at(&mut self, runtime: &Arc<Runtime>, id: BundleId) {
        let view = match self.view(runtime, id) {
            Ok(view) => view,
            Err(error) => {
                report!(WARN, "a change may be overlooked: {error}");
                self.bundles.get(&id.id()).map(|bundle| files_of(runtime, &bundle.source))
            }
        };
        let (Some(view), Some(bundle)) = (view, self.bundles.get_mut(&id.id())) else { return };
        let View { fingerprint, manifest, .. } = view;
        let open = bundle.open.iter().any(|path| path.exists());
        let readiness = || if open { Readiness::BeingWritten } else { runtime.readiness(&bundle.source, manifest) };
        let action = bundle.debouncer.look(Instant::now(), fingerprint, &bundle.source.fingerprint, readiness);
        let name = &bundle.source.name;
        match action {
            Action::Wait => {}
            Action::WaitFor(what) => report!(INFO, bundle = name, "changed, and waits for {what}"),
            Action::Reject(reason) => {
                if let Attempt::Busy = runtime.refuse_reload(&bundle.source, &reason) {
                    bundle.prevented();
                }
            }
            Action::Reload => {
                let attempt = runtime.reload_unless_busy(&bundle.source);
                self.attempted(runtime, id, attempt);
            }
        }
    }

    fn attempted(&mut self, runtime: &Runtime, id: BundleId, attempt: Attempt) {
        // Another version may serve now: its fingerprint must be known before it is compared with that of the files.
        self.sync_bundles(runtime);
        let Some(bundle) = self.bundles.get_mut(&id.id()) else { return };
        bundle.open.clear();
        match attempt {
            Attempt::Succeeded => bundle.debouncer.succeeded(Instant::now()),
            Attempt::Failed => bundle.debouncer.failed(Instant::now()),
            Attempt::Busy => bundle.prevented(),
        }
    }

    /// Watches the directories of a bundle, then looks at its files, so that no later change is missed.
    fn view(&mut self, runtime: &Runtime, id: BundleId) -> Result<Option<View>, WatchError> {
        let Some(bundle) = self.bundles.get(&id.id()) else { return Ok(None) };
        let mut view = files_of(runtime, &bundle.source);
        let mut outcome = Ok(());
        for _ in 0..ROUNDS {
            let mut grown = false;
            for place in view.watch_set.watched() {
                match self.system.add(place) {
                    Ok(new) => grown |= new,
                    Err(error @ WatchError::Unwatchable { .. }) if !view.watch_set.need(place) => {
                        tracing::debug!(%error, "nobody will see it if the bundle is exchanged as a whole");
                    }
                    Err(error) => outcome = Err(error),
                }
            }
            if !grown {
                break;
            }
            // The files may have changed between the look and the watch.
            view = files_of(runtime, &bundle.source);
        }
        self.place(id, std::mem::take(&mut view.watch_set));
        outcome.map(|()| Some(view))
    }

    /// Replaces the watch set of a bundle.
    fn place(&mut self, id: BundleId, watch_set: WatchSet) {
        let Some(bundle) = self.bundles.get_mut(&id.id()) else { return };
        if bundle.watch_set != watch_set {
            bundle.watch_set = watch_set;
            self.drop_watch_sets();
        }
    }

    /// Stops watching directories that do not concern a bundle any more.
    fn drop_watch_sets(&mut self) {
        let wanted: BTreeSet<&Path> = self.bundles.values().flat_map(|bundle| bundle.watch_set.watched()).collect();
        self.system.keep(&wanted);
    }
}

/// Looks at a bundle's files. The shared directories are those of the manifest, or those of the version that serves if
/// the manifest cannot be used.
fn files_of(runtime: &Runtime, source: &Source) -> View {
    View::of(&source.directory, runtime.parts().bundle_limits, |manifest| {
        manifest.and_then(|manifest| runtime.shared_dirs(manifest)).unwrap_or_else(|| source.shared_dirs.clone())
    })
}
