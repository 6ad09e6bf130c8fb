//! A folder of bundles that is watched: its entries that are not loaded, and its own comings and goings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use polyplug_abi::BundleId;

use super::debounce::{Action, Readiness, Timing};
use super::files::{WatchedFiles, are_locked, concerns, watch_all};
use super::system::{Change, ChangeKind, System};
use super::target::{Attempt, Source};
use super::watch_set::{View, WatchSet};
use crate::host::abi::log::report;
use crate::host::bundle::diagnose::is_bundle;
use crate::host::bundle::fingerprint::Fingerprint;
use crate::host::bundle::manifest::ManifestData;
use crate::host::error::runtime::RuntimeError;
use crate::host::runtime::load_dir::{Entries, Progress};
use crate::host::runtime::runtime::Runtime;

/// A folder of bundles.
pub(crate) struct Directory {
    /// The absolute path.
    pub(crate) root: PathBuf,
    /// `true` if a bundle stays loaded when its folder is removed.
    pub(crate) keeps_removed: bool,
    timing: Timing,
    watch_set: WatchSet,
    candidates: BTreeMap<PathBuf, Candidate>,
    /// `true` if the folder can be listed.
    exists: bool,
    /// `true` if the folder's entries may have changed.
    is_stale: bool,
}

/// An entry of the folder that no loaded bundle was loaded from.
struct Candidate {
    files: WatchedFiles,
    /// The bundle that the manifest names, as far as known.
    id: Option<BundleId>,
    /// `true` if the files are complete, and were not acted on since.
    is_ready: bool,
    /// `true` if the bundle was not loaded for a reason that lies outside of its files.
    is_blocked: bool,
}

/// The outcome of looking at a folder's entries anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    /// The folder is there, as before.
    Same,
    /// The folder is there again.
    Back,
    /// The folder cannot be listed.
    Gone,
}

impl Directory {
    pub(crate) fn new(root: PathBuf, keeps_removed: bool, timing: Timing) -> Self {
        let (watch_set, candidates) = (WatchSet::default(), BTreeMap::new());
        Self { root, keeps_removed, timing, watch_set, candidates, exists: true, is_stale: false }
    }

    /// Returns whether a bundle was loaded from an entry of the folder.
    pub(crate) fn has(&self, source: &Source) -> bool {
        let Some(parent) = source.directory.parent() else { return false };
        let real = |path: &Path| path.canonicalize().ok();
        parent == self.root || real(parent).is_some_and(|parent| Some(parent) == real(&self.root))
    }

    /// Returns the time of the next look, or `None` if none is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.candidates.values().filter_map(|candidate| candidate.files.debouncer.due()).min()
    }

    /// Returns whether the folder's entries may have changed.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Returns the directories to watch.
    pub(crate) fn watched(&self) -> impl Iterator<Item = &Path> {
        self.watch_set.watched().chain(self.candidates.values().flat_map(|candidate| candidate.files.watched()))
    }

    /// Notes a change of files.
    pub(crate) fn notice(&mut self, change: &Change, now: Instant) {
        let concerned = change.paths.iter().any(|path| concerns(&self.watch_set, change.kind, path));
        self.is_stale |= concerned || change.kind == ChangeKind::Unknown;
        self.candidates.values_mut().for_each(|candidate| candidate.files.notice(change, now));
    }

    /// Lists the folder's entries. `is_served` says whether a watched bundle was loaded from one.
    pub(crate) fn list(&mut self, system: &mut System, is_served: impl Fn(&Path) -> bool, now: Instant) -> Listing {
        self.is_stale = false;
        // Watched first, so that no entry is missed that comes after the look.
        loop {
            self.watch_set = WatchSet::of_directory(&self.root);
            match watch_all(system, &self.watch_set) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    report!(WARN, "a bundle that comes or goes may be overlooked: {error}");
                    break;
                }
            }
        }
        let Ok(entries) = Entries::list(&self.root) else {
            if std::mem::replace(&mut self.exists, false) {
                let directory = self.root.display();
                report!(WARN, "the folder of bundles {directory} is gone; its bundles serve on until it is back");
            }
            self.candidates.clear();
            return Listing::Gone;
        };
        let found: BTreeSet<PathBuf> =
            entries.bundles.into_iter().chain(entries.others).filter(|path| !is_served(path)).collect();
        self.candidates.retain(|path, _| found.contains(path));
        for path in found {
            let files = || WatchedFiles::new(self.timing, now);
            self.candidates.entry(path).or_insert_with(|| Candidate::new(files()));
        }
        if std::mem::replace(&mut self.exists, true) { Listing::Same } else { Listing::Back }
    }

    /// Adds the folder of a bundle that was unloaded. The bundle is loaded again when the files differ from those that
    /// were loaded.
    pub(crate) fn add_unloaded(&mut self, source: Source, now: Instant) {
        if !is_bundle(&source.directory) {
            return;
        }
        let mut candidate = Candidate::new(WatchedFiles::new(self.timing, now));
        candidate.files.debouncer.settle(source.fingerprint);
        self.candidates.insert(source.directory, candidate);
    }

    /// Watches all entries. Returns the fingerprints of their present files.
    pub(crate) fn watch_entries(&mut self, runtime: &Runtime, system: &mut System) -> BTreeMap<PathBuf, Fingerprint> {
        let looks = self.candidates.iter_mut().map(|(path, candidate)| {
            let view = candidate.watch(runtime, system, path);
            (path.clone(), view.fingerprint)
        });
        looks.collect()
    }

    /// Notes that the entries were acted on when their files had these fingerprints.
    pub(crate) fn settle(&mut self, runtime: &Runtime, acted_on: BTreeMap<PathBuf, Fingerprint>) {
        for (path, fingerprint) in acted_on {
            let Some(candidate) = self.candidates.get_mut(&path) else { continue };
            candidate.files.debouncer.settle(fingerprint);
            candidate.id = ManifestData::read(&path).ok().map(|manifest| manifest.id);
        }
        let paths: Vec<_> = self.candidates.keys().cloned().collect();
        for path in paths {
            self.note_reason(runtime, &path);
        }
    }

    /// Makes a look due at each entry whose bundle was not loaded for a reason that does not hold any more.
    pub(crate) fn unblock(&mut self, runtime: &Runtime, now: Instant) {
        let blocked = self.candidates.iter().filter(|(_, candidate)| candidate.is_blocked);
        let blocked: Vec<_> = blocked.map(|(path, _)| path.clone()).collect();
        for path in blocked {
            self.note_reason(runtime, &path);
            if let Some(candidate) = self.candidates.get_mut(&path).filter(|candidate| !candidate.is_blocked) {
                candidate.files.debouncer.prevented();
                candidate.files.debouncer.schedule_now(now);
            }
        }
    }

    /// Returns whether an entry has the bundle `id`, as far as known.
    pub(crate) fn has_entry_of(&self, id: BundleId) -> bool {
        self.candidates.values().any(|candidate| candidate.id == Some(id))
    }

    /// Makes a look due at the entries that have the bundle `id`. Returns whether there is one.
    pub(crate) fn look_at_successor(&mut self, id: BundleId, now: Instant) -> bool {
        let mut successors = self.candidates.values_mut().filter(|candidate| candidate.id == Some(id)).peekable();
        let found = successors.peek().is_some();
        for candidate in successors {
            candidate.files.debouncer.prevented();
            candidate.files.debouncer.schedule_now(now);
        }
        found
    }

    /// Looks at each entry whose look is due.
    pub(crate) fn look(&mut self, runtime: &Runtime, system: &mut System, now: Instant) {
        for (path, candidate) in &mut self.candidates {
            if candidate.files.debouncer.due().is_none_or(|due| due > now) {
                continue;
            }
            let View { fingerprint, manifest, .. } = candidate.watch(runtime, system, path);
            candidate.id = manifest.as_ref().ok().map(|manifest| manifest.id);
            let is_being_written = candidate.files.is_being_written();
            let readiness = |found: &_| match is_being_written || are_locked(path, found) {
                true => Readiness::BeingWritten,
                false => runtime.readiness_of_new(manifest),
            };
            let debouncer = &mut candidate.files.debouncer;
            match debouncer.look(Instant::now(), fingerprint, None, readiness) {
                // The files have changed since they were complete.
                Action::Wait => candidate.is_ready &= debouncer.due().is_none(),
                _ => candidate.is_ready = true,
            }
        }
    }

    /// Loads the bundles whose files are complete, each after those that it needs. A bundle that was loaded from another
    /// entry which is gone is reloaded instead. `source_of` returns the source of a watched bundle. Stops when `over` is
    /// set.
    pub(crate) fn load_ready(
        &mut self,
        runtime: &Runtime,
        source_of: impl Fn(BundleId) -> Option<Source>,
        over: &Arc<AtomicBool>,
    ) {
        let is_pending = |candidate: &Candidate| candidate.files.debouncer.due().is_some();
        let ready = self.candidates.iter().filter(|(_, candidate)| candidate.is_ready && !is_pending(candidate));
        let ready: Vec<PathBuf> = ready.map(|(path, _)| path.clone()).collect();
        if ready.is_empty() {
            return;
        }
        let some_pending = self.candidates.values().any(is_pending);
        let mut progress = Progress { stop: Some(Arc::clone(over)), ..Progress::default() };
        let mut batch = BTreeMap::new();
        for path in ready {
            if over.load(Ordering::Acquire) {
                return;
            }
            // Before anybody hears of a failure, and removes the reason.
            self.note_reason(runtime, &path);
            if !is_bundle(&path) {
                progress.failures.extend(runtime.problem_of(&path));
                self.acted_on(runtime, &path);
                continue;
            }
            let read = runtime.read_manifests(std::slice::from_ref(&path), &mut progress.failures).pop();
            let Some(manifest) = read else {
                self.acted_on(runtime, &path);
                continue;
            };
            match source_of(manifest.id) {
                None => match self.twins(&path, manifest.id) {
                    Some(twins) => {
                        batch.extend(twins.into_iter().map(|twin| (twin.path.clone(), twin)));
                        batch.insert(path, manifest);
                    }
                    // Whether another entry has the same bundle is known when its files are complete.
                    None => continue,
                },
                Some(source) if !source.has_left() => {
                    let directories = vec![source.directory.clone(), path.clone()];
                    let error = RuntimeError::DuplicateName { bundle: manifest.name.clone(), directories };
                    runtime.not_loaded([&manifest], error, &mut progress.failures);
                    self.acted_on(runtime, &path);
                }
                Some(source) => match runtime.reload_unless_busy(&source, &path) {
                    // The bundle is looked at again after the change that keeps it busy.
                    Attempt::Busy | Attempt::Succeeded => {}
                    Attempt::Failed => self.acted_on(runtime, &path),
                },
            }
        }
        let paths: Vec<PathBuf> = batch.keys().cloned().collect();
        let unique = runtime.without_duplicates(batch.into_values().collect(), &mut progress.failures);
        let mut rest = runtime.load_ready(unique, &mut progress);
        if !some_pending {
            runtime.load_rest(std::mem::take(&mut rest), &mut progress);
        }
        for path in paths {
            // What they need may come with one of the pending entries.
            if !rest.iter().any(|manifest| manifest.path == path) {
                self.acted_on(runtime, &path);
            }
        }
        progress.loaded.iter().for_each(|bundle| report!(INFO, bundle = &bundle.name, "loaded"));
        progress.failures.iter().for_each(|error| report!(WARN, "not loaded: {error}"));
    }

    /// Returns the manifests of the other entries with the bundle `id`, or `None` if one of them is still being looked
    /// at.
    fn twins(&self, path: &Path, id: BundleId) -> Option<Vec<ManifestData>> {
        let others = self.candidates.iter().filter(|(other, candidate)| *other != path && candidate.id == Some(id));
        let others: Vec<_> = others.collect();
        if others.iter().any(|(_, candidate)| candidate.files.debouncer.due().is_some()) {
            return None;
        }
        let manifests = others.into_iter().filter_map(|(other, _)| ManifestData::read(other).ok());
        Some(manifests.filter(|manifest| manifest.id == id).collect())
    }

    /// Notes that the files of an entry were acted on. If its bundle was loaded, the entry is removed with the next
    /// listing. A reason that held before still counts: it may have gone since, and then the next listing looks anew.
    fn acted_on(&mut self, runtime: &Runtime, path: &Path) {
        let was_blocked = self.candidates.get(path).is_some_and(|candidate| candidate.is_blocked);
        self.note_reason(runtime, path);
        if let Some(candidate) = self.candidates.get_mut(path) {
            candidate.is_blocked |= was_blocked;
            candidate.is_ready = false;
            candidate.files.forget_open();
            candidate.files.debouncer.failed(Instant::now());
        }
    }

    /// Notes whether the bundle of an entry cannot be loaded for a reason that lies outside of its files: it lacks a
    /// contract, or another bundle has its name.
    fn note_reason(&mut self, runtime: &Runtime, path: &Path) {
        let manifest = ManifestData::read(path);
        let is_blocked = manifest.is_ok_and(|manifest| {
            let is_twin =
                |(other, candidate): (&PathBuf, &Candidate)| other != path && candidate.id == Some(manifest.id);
            runtime.lacks_something(&manifest) || self.candidates.iter().any(is_twin)
        });
        if let Some(candidate) = self.candidates.get_mut(path) {
            candidate.is_blocked = is_blocked;
        }
    }
}

impl Candidate {
    fn new(files: WatchedFiles) -> Self {
        Self { files, id: None, is_ready: false, is_blocked: false }
    }

    /// Watches the files of the entry, and looks at them.
    fn watch(&mut self, runtime: &Runtime, system: &mut System, path: &Path) -> View {
        let look = || match is_bundle(path) {
            true => View::of(path, runtime.parts().bundle_limits, |manifest| {
                manifest.and_then(|manifest| runtime.shared_dirs(manifest)).unwrap_or_default()
            }),
            // Nothing says that all of a large folder matters.
            false => View::shallow(path),
        };
        let (view, outcome) = self.files.watch(system, look);
        if let Err(error) = outcome {
            report!(WARN, "a change may be overlooked: {error}");
        }
        view
    }
}
