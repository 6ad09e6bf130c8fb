//! The thread of a watcher.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::time::Instant;

use polyplug_abi::BundleId;

use super::debounce::{Action, Readiness, Timing};
use super::directory::{Directory, Listing};
use super::error::WatchError;
use super::files::{WatchedFiles, are_locked};
use super::system::{Change, ChangeKind, System};
use super::target::{Attempt, Source, is_there};
use super::watch_set::View;
use crate::host::abi::log::report;
use crate::host::runtime::dir_report::DirReport;
use crate::host::runtime::event::EventKind;
use crate::host::runtime::load_dir::Entries;
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

/// The state of the thread.
pub(crate) struct Worker {
    runtime: Weak<Runtime>,
    timing: Timing,
    signals: Receiver<Signal>,
    /// Set to ask the thread to end, and when it has ended.
    over: Arc<AtomicBool>,
    system: System,
    bundles: BTreeMap<u64, Watched>,
    /// The folder whose entries are watched. Without one, all loaded bundles are watched.
    directory: Option<Directory>,
}

/// A bundle that is watched.
struct Watched {
    source: Source,
    files: WatchedFiles,
    /// True if a reload or unload was prevented because another thread was changing the bundle.
    prevented: bool,
    /// True if the bundle could not be unloaded, for others need it.
    is_needed: bool,
    /// True if the bundle's folder is gone, and another entry has the bundle.
    has_successor: bool,
    /// True if the event was emitted that the files have changed since they were last acted on.
    announced: bool,
}

impl Watched {
    /// Notes that another thread is changing the bundle. The bundle is looked at again after that change.
    fn prevented(&mut self) {
        self.files.debouncer.prevented();
        self.prevented = true;
    }

    /// Makes the bundle act on its present files again after they have not changed for a while.
    fn look_anew(&mut self, now: Instant) {
        self.files.debouncer.prevented();
        self.files.debouncer.on_change(now);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}

impl Worker {
    /// Begins to watch. Changes from now on are kept until [`run`](Self::run) looks at them. Loads the bundles in
    /// `directory`, if there is one, and returns the report.
    pub(crate) fn new(
        runtime: &Arc<Runtime>,
        timing: Timing,
        directory: Option<Directory>,
        send: Sender<Signal>,
        signals: Receiver<Signal>,
        over: Arc<AtomicBool>,
    ) -> Result<(Self, Option<DirReport>), WatchError> {
        let signals_of_bundles = send.clone();
        runtime.bundle_table().observers.add(move || signals_of_bundles.send(Signal::Bundles).is_ok());
        let system = System::new(move |change| {
            let _ = send.send(Signal::Files(change)); // an error if the thread is ending
        })?;
        let weak = Arc::downgrade(runtime);
        let bundles = BTreeMap::new();
        let mut this = Self { runtime: weak, timing, signals, over, system, bundles, directory };
        if this.directory.is_some() {
            let report = this.load(runtime)?;
            return Ok((this, Some(report)));
        }
        for (id, directory) in this.sync_bundles(runtime) {
            if !is_there(&directory) {
                let bundle = this.bundles.remove(&id.id()).map(|bundle| bundle.source.name).unwrap_or_default();
                return Err(WatchError::DirectoryMissing { bundle, directory });
            }
            this.view(runtime, id).map_or(Ok(()), |(_, outcome)| outcome)?;
        }
        Ok((this, None))
    }

    /// Loads the bundles in the folder that are not loaded yet.
    fn load(&mut self, runtime: &Arc<Runtime>) -> Result<DirReport, WatchError> {
        self.sync_bundles(runtime);
        self.list();
        let Some(directory) = &mut self.directory else { unreachable!("only a watcher of a folder loads") };
        let mut entries = Entries::of(&directory.root).map_err(|error| WatchError::Directory(Box::new(error)))?;
        let before = directory.watch_entries(runtime, &mut self.system);
        let served = served(&self.bundles, &directory.root);
        entries.bundles.retain(|path| !served.contains(path));
        let report = runtime.load_entries(directory.root.clone(), entries);
        report.problems.iter().for_each(|error| report!(WARN, "not loaded: {error}"));
        self.sync_bundles(runtime);
        self.list();
        if let Some(directory) = &mut self.directory {
            directory.settle(runtime, before);
        }
        for id in self.bundles.keys().copied().collect::<Vec<_>>() {
            self.view(runtime, BundleId::from_u64(id)).map_or(Ok(()), |(_, outcome)| outcome)?;
        }
        self.drop_watch_sets();
        Ok(report)
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
            let is_stale = self.directory.as_ref().is_some_and(Directory::is_stale);
            if !bundles_changed && !is_stale && self.due().is_none_or(|due| due > Instant::now()) {
                continue; // without an upgrade: the thread holds the runtime only while it works
            }
            let Some(runtime) = self.runtime.upgrade() else { return };
            if bundles_changed {
                self.sync_bundles(&runtime);
            }
            if bundles_changed || is_stale {
                self.list_anew(&runtime, is_stale);
            }
            self.poll(&runtime);
        }
    }

    /// Returns the time of the next look, or `None` if none is due.
    fn due(&self) -> Option<Instant> {
        let bundles = self.bundles.values().filter_map(|bundle| bundle.files.debouncer.due());
        bundles.chain(self.directory.as_ref().and_then(Directory::due)).min()
    }

    /// Lists the folder's entries.
    fn list(&mut self) -> Listing {
        let Some(directory) = &mut self.directory else { return Listing::Same };
        let served = served(&self.bundles, &directory.root);
        directory.list(&mut self.system, |path| served.contains(path), Instant::now())
    }

    /// Lists the folder's entries after bundles have changed or, if `is_stale`, after an entry may have come or gone.
    fn list_anew(&mut self, runtime: &Runtime, is_stale: bool) {
        let listing = self.list();
        let now = Instant::now();
        let Some(directory) = &mut self.directory else { return };
        for bundle in self.bundles.values_mut() {
            let lost_successor = bundle.has_successor && !directory.has_entry_of(bundle.source.id);
            if lost_successor || listing == Listing::Back {
                bundle.has_successor = false;
                bundle.look_anew(now);
            } else if is_stale && !is_there(&bundle.source.directory) {
                // A folder that may be on its way back is given its time anew.
                bundle.files.debouncer.on_change(now);
            }
        }
        directory.unblock(runtime, now);
        self.drop_watch_sets();
    }

    /// Updates the watched bundles to those that are loaded now. Returns the new ones with their directories.
    fn sync_bundles(&mut self, runtime: &Runtime) -> Vec<(BundleId, PathBuf)> {
        let now = Instant::now();
        let mut before = std::mem::take(&mut self.bundles);
        let mut new = Vec::new();
        for source in runtime.sources() {
            if self.directory.as_ref().is_some_and(|directory| !directory.has(&source)) {
                continue;
            }
            let id = source.id;
            let watched = match before.remove(&id.id()) {
                Some(mut known) if known.source.directory == source.directory => {
                    let prevented = std::mem::take(&mut known.prevented);
                    if prevented || known.source.fingerprint != source.fingerprint {
                        known.files.debouncer.schedule_now(now);
                    }
                    if known.is_needed && runtime.can_be_unloaded(id) {
                        known.is_needed = false;
                        known.files.debouncer.prevented();
                        known.files.debouncer.schedule_now(now);
                    }
                    known.source = source;
                    known
                }
                _ => {
                    new.push((id, source.directory.clone()));
                    let files = WatchedFiles::new(self.timing, now);
                    Watched {
                        source,
                        files,
                        prevented: false,
                        is_needed: false,
                        has_successor: false,
                        announced: false,
                    }
                }
            };
            self.bundles.insert(id.id(), watched);
        }
        if !before.is_empty() {
            for gone in before.into_values() {
                if let Some(directory) = &mut self.directory {
                    directory.add_unloaded(gone.source, now);
                }
            }
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
        self.bundles.values_mut().for_each(|bundle| bundle.files.notice(change, now));
        if let Some(directory) = &mut self.directory {
            directory.notice(change, now);
        }
    }

    /// Looks at each bundle whose next look is due.
    fn poll(&mut self, runtime: &Arc<Runtime>) {
        let now = Instant::now();
        let due: Vec<_> = self
            .bundles
            .values()
            .filter(|bundle| bundle.files.debouncer.due().is_some_and(|due| due <= now))
            .map(|bundle| bundle.source.id)
            .collect();
        for id in due {
            if self.over.load(Ordering::Acquire) {
                return;
            }
            self.look_at(runtime, id);
        }
        self.look_at_entries(runtime, now);
    }

    /// Looks at the folder's entries that are not loaded, and loads those that are complete.
    fn look_at_entries(&mut self, runtime: &Runtime, now: Instant) {
        let Some(directory) = &mut self.directory else { return };
        directory.look(runtime, &mut self.system, now);
        if self.over.load(Ordering::Acquire) {
            return;
        }
        let bundles = &self.bundles;
        directory.load_ready(runtime, |id| bundles.get(&id.id()).map(|bundle| bundle.source.clone()), &self.over);
    }

    fn look_at(&mut self, runtime: &Arc<Runtime>, id: BundleId) {
        let Some((view, outcome)) = self.view(runtime, id) else { return };
        if let Err(error) = outcome {
            report!(WARN, "a change may be overlooked: {error}");
        }
        let Some(bundle) = self.bundles.get_mut(&id.id()) else { return };
        let View { fingerprint, manifest, .. } = view;
        let open = bundle.files.is_being_written();
        let mut refusal = None;
        let readiness = |found: &_| match open || are_locked(&bundle.source.directory, found) {
            true => Readiness::BeingWritten,
            false => runtime.readiness(&bundle.source, manifest, &mut refusal),
        };
        let served = &bundle.source.fingerprint;
        let action = bundle.files.debouncer.look(Instant::now(), fingerprint, Some(served), readiness);
        let name = &bundle.source.name;
        let pending = bundle.files.debouncer.is_pending(&bundle.source.fingerprint) || !matches!(action, Action::Wait);
        let is_news = pending && !std::mem::replace(&mut bundle.announced, pending);
        bundle.announced &= matches!(action, Action::Wait);
        if is_news {
            runtime.emit_watched(&bundle.source, EventKind::FilesChanged);
        }
        let has_left = self.directory.is_some()
            && matches!(action, Action::WaitFor(_) | Action::Reject(_))
            && bundle.source.has_left();
        match action {
            Action::Wait => {}
            _ if has_left => self.leave(runtime, id),
            Action::WaitFor(what) => {
                report!(INFO, bundle = name, "changed, and waits for {what}");
                runtime.emit_waiting(&bundle.source, what);
            }
            Action::Reject(_) => {
                let refusal = refusal.expect("files are rejected for the error of their check");
                if let Attempt::Busy = runtime.refuse_reload(&bundle.source, &refusal) {
                    bundle.prevented();
                }
            }
            Action::Reload => {
                if bundle.files.debouncer.has_failed() {
                    runtime.emit_watched(&bundle.source, EventKind::Retrying);
                }
                let attempt = runtime.reload_unless_busy(&bundle.source, &bundle.source.directory);
                self.attempted(runtime, id, attempt);
            }
        }
    }

    fn attempted(&mut self, runtime: &Runtime, id: BundleId, attempt: Attempt) {
        // Another version may serve now: its fingerprint must be known before it is compared with that of the files.
        self.sync_bundles(runtime);
        let Some(bundle) = self.bundles.get_mut(&id.id()) else { return };
        bundle.files.forget_open();
        match attempt {
            Attempt::Succeeded => bundle.files.debouncer.succeeded(Instant::now()),
            Attempt::Failed => bundle.files.debouncer.failed(Instant::now()),
            Attempt::Busy => bundle.prevented(),
        }
    }

    /// Acts on the removal of a bundle from its folder: looks whether another entry has the bundle, and otherwise unloads
    /// it.
    fn leave(&mut self, runtime: &Runtime, id: BundleId) {
        let (Some(directory), Some(bundle)) = (&mut self.directory, self.bundles.get_mut(&id.id())) else { return };
        bundle.has_successor = directory.look_at_successor(id, Instant::now());
        let (source, has_successor) = (bundle.source.clone(), bundle.has_successor);
        runtime.emit_waiting(&source, source.directory.display().to_string());
        // While the whole folder is gone, its bundles serve on: it may be a volume that is mounted again.
        if !directory.root.is_dir() || has_successor || directory.keeps_removed {
            return;
        }
        let leaves = |name: &str| {
            let named = self.bundles.values().find(|bundle| bundle.source.name == name);
            named.is_some_and(|bundle| bundle.source.has_left())
        };
        let attempt = runtime.unload_unless_busy(&source, leaves);
        self.sync_bundles(runtime);
        let Some(bundle) = self.bundles.get_mut(&id.id()) else { return };
        match attempt {
            Attempt::Succeeded => {}
            Attempt::Failed => bundle.is_needed = true,
            Attempt::Busy => bundle.prevented(),
        }
    }

    /// Watches the directories of a bundle, then looks at its files, so that no later change is missed.
    fn view(&mut self, runtime: &Runtime, id: BundleId) -> Option<(View, Result<(), WatchError>)> {
        let Watched { source, files, .. } = self.bundles.get_mut(&id.id())?;
        let before: BTreeSet<PathBuf> = files.watched().map(Path::to_owned).collect();
        let seen = files.watch(&mut self.system, || files_of(runtime, source));
        if files.watched().map(Path::to_owned).collect::<BTreeSet<_>>() != before {
            self.drop_watch_sets();
        }
        Some(seen)
    }

    /// Stops watching directories that do not concern a bundle any more.
    fn drop_watch_sets(&mut self) {
        let bundles = self.bundles.values().flat_map(|bundle| bundle.files.watched());
        let wanted: BTreeSet<&Path> = bundles.chain(self.directory.iter().flat_map(Directory::watched)).collect();
        self.system.keep(&wanted);
    }
}

/// Returns the entries of the folder `root` that watched bundles were loaded from. A bundle may have been loaded by
/// another path to the folder.
fn served(bundles: &BTreeMap<u64, Watched>, root: &Path) -> BTreeSet<PathBuf> {
    let entry = |bundle: &Watched| Some(root.join(bundle.source.directory.file_name()?));
    bundles.values().filter_map(entry).collect()
}

/// Looks at a bundle's files. The shared directories are those of the manifest, or those of the version that serves if
/// the manifest cannot be used.
fn files_of(runtime: &Runtime, source: &Source) -> View {
    View::of(&source.directory, runtime.parts().bundle_limits, |manifest| {
        manifest.and_then(|manifest| runtime.shared_dirs(manifest)).unwrap_or_else(|| source.shared_dirs.clone())
    })
}
