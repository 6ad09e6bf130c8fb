//! The load of all bundles in a directory, each after the bundles that it needs.
//!
//! A manifest lists the contracts that a bundle needs, but not those that it provides. So the runtime loads every
//! bundle whose needs are met, and repeats that until no further bundle can be loaded.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use polyplug_abi::{Compatibility, GuestContractId, Version};

use super::dir_report::{DirReport, LoadedBundle};
use super::event::Operation;
use super::info::BundleInfo;
use super::requirements::declared_dependency;
use super::runtime::Runtime;
use crate::host::bundle::diagnose::{found_instead, is_bundle, is_of_no_interest, no_folder};
use crate::host::bundle::file::absolute;
use crate::host::bundle::manifest::{Dependency, FILE_NAME, ManifestData};
use crate::host::error::dependency::{CycleStep, MissingDependency, Offer};
use crate::host::error::manifest::ManifestError;
use crate::host::error::runtime::RuntimeError;

/// The entries of a directory of bundles.
#[derive(Default)]
pub(crate) struct Entries {
    /// The folders that have a manifest, and the packs, in the order of their names.
    pub(crate) bundles: Vec<PathBuf>,
    /// The other entries that may have been meant as bundles.
    pub(crate) others: Vec<PathBuf>,
    /// The entries whose names say that they are not to be loaded, though they have a manifest.
    hidden: Vec<PathBuf>,
}

/// The outcome so far while bundles are loaded.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) loaded: Vec<LoadedBundle>,
    pub(crate) failures: Vec<RuntimeError>,
    /// Set to ask that no further bundle is loaded.
    pub(crate) stop: Option<Arc<AtomicBool>>,
}

impl Progress {
    fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Acquire))
    }
}

impl Runtime {
    /// Loads all bundles in `directory`: the subdirectories with a `manifest.toml`, and with the feature `packs` the packs, the
    /// files `NAME.polyplug`. Each bundle is loaded after those
    /// that it [depends](ManifestData::dependencies) on, otherwise the order is by name.
    ///
    /// If a bundle cannot be loaded, the other bundles are loaded all the same, and stay loaded. The report lists the
    /// bundles in the order of loading, and a problem for each bundle that is not loaded, and for each entry of the
    /// directory that seems to be meant as a bundle and is none: a folder whose manifest is misspelt or missing, a link
    /// that leads nowhere, an archive, an artifact without a folder of its own. Hidden entries, those that editors and
    /// tools make, and texts such as `README.md` are no problems. Nor is an empty directory.
    ///
    /// [`into_result`](DirReport::into_result) makes an error of the problems.
    ///
    /// With [`Compatibility::Relaxed`], bundles whose dependencies are not provided are loaded last, with a warning
    /// each. Otherwise they are refused. To find out which of the refused bundles need each other, the runtime starts
    /// their code without publishing it, and discards it.
    ///
    /// The problems are, beside the errors of [`load_bundle`](Self::load_bundle):
    ///
    /// - [`NoDirectory`](RuntimeError::NoDirectory), [`DirectoryUnreadable`](RuntimeError::DirectoryUnreadable): the
    ///   directory itself is missing, a bundle, a file, or may not be read.
    /// - [`DuplicateName`](RuntimeError::DuplicateName): two bundles have one name. Neither is loaded.
    /// - [`DependencyMissing`](RuntimeError::DependencyMissing), [`DependencyCycle`](RuntimeError::DependencyCycle),
    ///   [`DependencyNotLoaded`](RuntimeError::DependencyNotLoaded): a bundle lacks a dependency.
    ///
    /// ```no_run
    /// # use polyplug::Runtime;
    /// # use polyplug::error::RuntimeError;
    /// # fn load(runtime: &Runtime) -> Result<(), RuntimeError> {
    /// // For a host that can do without some of its bundles:
    /// let report = runtime.load_dir("plugins");
    /// println!("{report}");
    ///
    /// // For a host that needs all of them:
    /// runtime.load_dir("more-plugins").into_result()?;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn load_dir(&self, directory: impl AsRef<Path>) -> DirReport {
        self.load_dir_at(directory.as_ref())
    }

    pub(crate) fn load_dir_at(&self, directory: &Path) -> DirReport {
        let unreadable =
            |source| RuntimeError::DirectoryUnreadable { directory: directory.to_owned(), source: Arc::new(source) };
        let entries = absolute(directory).map_err(unreadable).and_then(|directory| {
            let entries = Entries::of(&directory)?;
            Ok((directory, entries))
        });
        let (directory, entries) = match entries {
            Ok(entries) => entries,
            Err(problem) => return DirReport::of_problem(directory, problem),
        };
        self.load_entries(directory, entries)
    }

    /// Loads the bundles among the entries of a directory.
    pub(crate) fn load_entries(&self, directory: PathBuf, entries: Entries) -> DirReport {
        let mut progress = Progress::default();
        let manifests = self.read_manifests(&entries.bundles, &mut progress.failures);
        self.load_all(manifests, &mut progress);
        let mut report =
            DirReport { directory, loaded: progress.loaded, problems: progress.failures, ignored: entries.hidden };
        for entry in entries.others {
            match self.problem_of(&entry) {
                Some(problem) => report.problems.push(problem),
                None => report.ignored.push(entry),
            }
        }
        report
    }

    /// Loads bundles, each after those that it needs.
    pub(crate) fn load_all(&self, manifests: Vec<ManifestData>, progress: &mut Progress) {
        let manifests = self.without_duplicates(manifests, &mut progress.failures);
        let pending = self.load_ready(manifests, progress);
        self.load_rest(pending, progress);
    }

    /// Loads bundles whose dependencies are not provided if the runtime is relaxed, and otherwise records why they are
    /// not loaded.
    pub(crate) fn load_rest(&self, pending: Vec<ManifestData>, progress: &mut Progress) {
        if self.config().compatibility == Compatibility::Relaxed {
            pending.iter().for_each(|manifest| self.load_one(manifest, progress));
        } else if !pending.is_empty() && !progress.is_stopped() {
            self.diagnose(pending, &mut progress.failures);
        }
    }

    /// Loads the bundles whose dependencies are provided, by loaded bundles or by one of these. Returns the others.
    pub(crate) fn load_ready(&self, mut pending: Vec<ManifestData>, progress: &mut Progress) -> Vec<ManifestData> {
        loop {
            let before = pending.len();
            pending.retain(|manifest| {
                let is_ready = self.missing_dependencies(manifest).is_empty();
                if is_ready {
                    self.load_one(manifest, progress);
                }
                !is_ready
            });
            if pending.len() == before {
                return pending;
            }
        }
    }

    fn load_one(&self, manifest: &ManifestData, progress: &mut Progress) {
        if progress.is_stopped() {
            return;
        }
        match self.load_bundle(&manifest.path) {
            Ok(id) => progress.loaded.push(LoadedBundle {
                id,
                name: manifest.name.clone(),
                version: manifest.version.clone(),
                directory: manifest.path.clone(),
            }),
            Err(error) => progress.failures.push(error),
        }
    }

    /// Records a failure of bundles of the directory, and emits the event of each.
    pub(crate) fn not_loaded<'a>(
        &self,
        manifests: impl IntoIterator<Item = &'a ManifestData>,
        error: RuntimeError,
        failures: &mut Vec<RuntimeError>,
    ) {
        for manifest in manifests {
            self.emit_failed(Operation::Load, || self.describe_manifest(manifest), &error);
        }
        failures.push(error);
    }

    /// Returns the problem of an entry that is no bundle, or `None` if nothing says that it was meant to be one. Emits
    /// the event of the problem.
    pub(crate) fn problem_of(&self, entry: &Path) -> Option<RuntimeError> {
        let found = found_instead(entry);
        if found.is_unrelated() {
            return None;
        }
        let path = if entry.is_dir() { entry.join(FILE_NAME) } else { entry.to_owned() };
        let error = ManifestError::Missing { path, found: Box::new(found) }.into();
        self.emit_failed(Operation::Load, || BundleInfo::of_entry(entry), &error);
        Some(error)
    }

    /// Reads the manifests of bundles. Adds the error of each manifest that cannot be read to `failures`.
    pub(crate) fn read_manifests(&self, bundles: &[PathBuf], failures: &mut Vec<RuntimeError>) -> Vec<ManifestData> {
        let mut found = Vec::new();
        for bundle in bundles {
            match ManifestData::read(bundle) {
                Ok(manifest) => found.push(manifest),
                Err(error) => {
                    let error = error.into();
                    self.emit_failed(Operation::Load, || BundleInfo::of_path(bundle), &error);
                    failures.push(error);
                }
            }
        }
        found
    }

    /// Returns the bundles whose names occur once, in the order of the names. Adds an error to `failures` for each name
    /// that occurs more often.
    pub(crate) fn without_duplicates(
        &self,
        mut found: Vec<ManifestData>,
        failures: &mut Vec<RuntimeError>,
    ) -> Vec<ManifestData> {
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let mut unique = Vec::new();
        for same in found.chunk_by(|a, b| a.name == b.name) {
            if let [one] = same {
                unique.push(one.clone());
                continue;
            }
            let (bundle, directories) = (same[0].name.clone(), same.iter().map(|same| same.path.clone()).collect());
            self.not_loaded(same, RuntimeError::DuplicateName { bundle, directories }, failures);
        }
        unique
    }

    /// Adds to `failures` the reasons why none of the bundles in `pending` can be loaded.
    fn diagnose(&self, pending: Vec<ManifestData>, failures: &mut Vec<RuntimeError>) {
        let unresolved: Vec<_> = pending.into_iter().map(|manifest| self.unresolved(manifest, failures)).collect();
        let edges: Vec<_> = unresolved.iter().enumerate().map(|(i, bundle)| edges(&unresolved, i, bundle)).collect();
        let mut in_cycles = HashSet::new();
        for (i, bundle) in unresolved.iter().enumerate() {
            let not_provided: Vec<_> = bundle
                .missing
                .iter()
                .filter(|(need, _)| !edges[i].iter().any(|edge| edge.contract == need.id()))
                .map(|(need, missing)| with_offers(&unresolved, i, need, missing))
                .collect();
            let mut is_explained = !not_provided.is_empty();
            if is_explained {
                let error = RuntimeError::DependencyMissing { missing: not_provided };
                self.not_loaded([&bundle.manifest], error, failures);
            }
            if in_cycles.contains(&i) {
                continue;
            }
            if let Some(cycle) = shortest_cycle(&edges, i) {
                in_cycles.extend(cycle.iter().map(|(from, _)| *from));
                let steps = cycle.iter().map(|(from, edge)| CycleStep {
                    declared: unresolved[*from].declared(edge.contract),
                    provider: unresolved[edge.to].manifest.name.clone(),
                });
                let error = RuntimeError::DependencyCycle { steps: steps.collect() };
                self.not_loaded(cycle.iter().map(|(from, _)| &unresolved[*from].manifest), error, failures);
                is_explained = true;
            }
            if !is_explained && let Some(edge) = edges[i].first() {
                let provider = unresolved[edge.to].manifest.name.clone();
                let error = RuntimeError::DependencyNotLoaded { declared: bundle.declared(edge.contract), provider };
                self.not_loaded([&bundle.manifest], error, failures);
            }
        }
    }

    fn unresolved(&self, manifest: ManifestData, failures: &mut Vec<RuntimeError>) -> Unresolved {
        let missing = self.missing_dependencies(&manifest);
        let needs = manifest.dependencies.iter().filter_map(|need| {
            let missing = missing.iter().find(|missing| missing.declared == declared_dependency(&manifest, need))?;
            Some((need.clone(), missing.clone()))
        });
        let missing = needs.collect();
        let provides = match self.probe(manifest.clone()) {
            Ok(plugins) => plugins
                .into_iter()
                .map(|plugin| Provides { contract: plugin.contract, version: plugin.interface.contract_version })
                .collect(),
            Err(error) => {
                self.not_loaded([&manifest], error, failures);
                Vec::new()
            }
        };
        Unresolved { manifest, missing, provides }
    }
}

/// A bundle that cannot be loaded, as other bundles are missing.
struct Unresolved {
    manifest: ManifestData,
    missing: Vec<(Dependency, MissingDependency)>,
    provides: Vec<Provides>,
}

/// A contract that a bundle would provide.
struct Provides {
    contract: String,
    version: Version,
}

impl Unresolved {
    fn declared(&self, contract: GuestContractId) -> crate::host::error::dependency::Declared {
        let need = self.manifest.dependencies.iter().find(|need| need.id() == contract);
        declared_dependency(&self.manifest, need.expect("an edge is of a dependency"))
    }

    /// Returns whether this bundle would provide what another bundle needs.
    fn serves(&self, need: &Dependency) -> bool {
        self.provides.iter().any(|provides| {
            let Version { major, minor, .. } = provides.version;
            provides.contract == need.contract && major == need.major && minor >= need.minor
        })
    }
}

/// A dependency of one bundle on another.
struct Edge {
    to: usize,
    contract: GuestContractId,
}

/// Returns the dependencies of a bundle on the other unresolved bundles.
fn edges(unresolved: &[Unresolved], from: usize, bundle: &Unresolved) -> Vec<Edge> {
    let needs = bundle.missing.iter().map(|(need, _)| need);
    let providers = |need: &Dependency| {
        let others = unresolved.iter().enumerate().filter(|(to, other)| *to != from && other.serves(need));
        others.map(|(to, _)| Edge { to, contract: need.id() }).collect::<Vec<_>>()
    };
    needs.flat_map(providers).collect()
}

/// Returns `missing` with the offers of the other unresolved bundles added.
fn with_offers(
    unresolved: &[Unresolved],
    from: usize,
    need: &Dependency,
    missing: &MissingDependency,
) -> MissingDependency {
    let mut missing = missing.clone();
    for (_, other) in unresolved.iter().enumerate().filter(|(to, _)| *to != from) {
        let all = other.provides.iter();
        let named = |provides: &Provides| {
            format!("{}@{}.{}", provides.contract, provides.version.major, provides.version.minor)
        };
        missing.provided.extend(all.map(named));
        let same_name = other.provides.iter().filter(|provides| provides.contract == need.contract);
        let bundle = &other.manifest.name;
        missing.offered.extend(same_name.map(|provides| Offer { bundle: bundle.clone(), version: provides.version }));
    }
    missing
}

/// Returns the shortest cycle through bundle `start`: each bundle, with its dependency on the next one.
fn shortest_cycle(edges: &[Vec<Edge>], start: usize) -> Option<Vec<(usize, &Edge)>> {
    let mut came_by: BTreeMap<usize, (usize, &Edge)> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(from) = queue.pop_front() {
        for edge in &edges[from] {
            if came_by.contains_key(&edge.to) {
                continue;
            }
            came_by.insert(edge.to, (from, edge));
            if edge.to == start {
                return Some(trace_cycle(&came_by, start));
            }
            queue.push_back(edge.to);
        }
    }
    None
}

/// Returns the path from `start` back to `start` along the edges in `came_by`.
fn trace_cycle<'a>(came_by: &BTreeMap<usize, (usize, &'a Edge)>, start: usize) -> Vec<(usize, &'a Edge)> {
    let mut path = vec![came_by[&start]];
    while let Some((from, _)) = path.last().copied().filter(|(from, _)| *from != start) {
        path.push(came_by[&from]);
    }
    path.reverse();
    path
}

impl Entries {
    /// Lists a directory of bundles.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::NoDirectory`] or [`RuntimeError::DirectoryUnreadable`].
    pub(crate) fn of(directory: &Path) -> Result<Self, RuntimeError> {
        let unreadable =
            |source| RuntimeError::DirectoryUnreadable { directory: directory.to_owned(), source: Arc::new(source) };
        if let Some(found) = no_folder(directory) {
            return Err(match std::fs::read_dir(directory) {
                Err(source) if source.kind() == std::io::ErrorKind::PermissionDenied => unreadable(source),
                _ => RuntimeError::NoDirectory { directory: directory.to_owned(), found: Box::new(found) },
            });
        }
        Self::list(directory).map_err(unreadable)
    }

    /// Lists a directory.
    pub(crate) fn list(directory: &Path) -> std::io::Result<Self> {
        let entries = std::fs::read_dir(directory)?.collect::<Result<Vec<_>, _>>()?;
        let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
        paths.sort_unstable();
        let mut all = Self::default();
        for path in paths {
            let place = match (is_bundle(&path), is_of_no_interest(&path)) {
                (true, false) => &mut all.bundles,
                (true, true) => &mut all.hidden,
                (false, false) => &mut all.others,
                (false, true) => continue,
            };
            place.push(path);
        }
        Ok(all)
    }
}
