//! The load of all bundles in a directory, each after the bundles that it needs.
//!
//! A manifest lists the contracts that a bundle needs, but not those that it provides. So the runtime loads every
//! bundle whose needs are met, and repeats that until no further bundle can be loaded.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug_abi::{BundleId, Compatibility, GuestContractId, Version};

use super::event::Operation;
use super::info::BundleInfo;
use super::requirements::declared_dependency;
use super::runtime::Runtime;
use crate::host::bundle::file::absolute;
use crate::host::bundle::manifest::{Dependency, FILE_NAME, ManifestData};
use crate::host::error::dependency::{CycleStep, MissingDependency, Offer};
use crate::host::error::runtime::RuntimeError;

/// The outcome so far while a directory is loaded.
#[derive(Default)]
struct Progress {
    loaded: Vec<BundleId>,
    failures: Vec<RuntimeError>,
}

impl Runtime {
    /// Loads all bundles in `directory`: the subdirectories with a `manifest.toml`. Each bundle is loaded after those
    /// that it [depends](ManifestData::dependencies) on, otherwise the order is by name. Returns the ids in the order
    /// of loading.
    ///
    /// If a bundle cannot be loaded, the other bundles are loaded all the same, and stay loaded. The error lists all
    /// failures.
    ///
    /// With [`Compatibility::Relaxed`], bundles whose dependencies are not provided are loaded last, with a warning
    /// each. Otherwise they are refused. To find out which of the refused bundles need each other, the runtime starts
    /// their code without publishing it, and discards it.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::DirectoryUnreadable`], or [`RuntimeError::Directory`] with an error for each failure:
    ///
    /// - [`DuplicateName`](RuntimeError::DuplicateName): two bundles have one name. Then no bundle is loaded.
    /// - [`DependencyMissing`](RuntimeError::DependencyMissing), [`DependencyCycle`](RuntimeError::DependencyCycle),
    ///   [`DependencyNotLoaded`](RuntimeError::DependencyNotLoaded): a bundle lacks a dependency.
    /// - The errors of [`load_bundle`](Self::load_bundle).
    ///
    /// ```no_run
    /// # use polyplug::Runtime;
    /// # use polyplug::error::RuntimeError;
    /// # fn load(runtime: &Runtime) -> Result<(), RuntimeError> {
    /// match runtime.load_dir("plugins".as_ref()) {
    ///     Ok(all) => println!("{} bundles are loaded", all.len()),
    ///     // The host can do without some of them.
    ///     Err(RuntimeError::Directory { failures, .. }) => failures.iter().for_each(|failure| eprintln!("{failure}")),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn load_dir(&self, directory: &Path) -> Result<Vec<BundleId>, RuntimeError> {
        let unreadable =
            |source| RuntimeError::DirectoryUnreadable { directory: directory.to_owned(), source: Arc::new(source) };
        let directory = &absolute(directory).map_err(unreadable)?;
        let mut progress = Progress::default();
        let found = self.manifests(directory, &mut progress.failures).map_err(unreadable)?;
        match without_duplicates(found) {
            Ok(pending) => self.load_all(pending, &mut progress),
            Err(duplicates) => {
                for (same, error) in duplicates {
                    same.iter().for_each(|manifest| self.emit_not_loaded(manifest, &error));
                    progress.failures.push(error);
                }
            }
        }
        let Progress { loaded, failures } = progress;
        if failures.is_empty() {
            return Ok(loaded);
        }
        Err(RuntimeError::Directory { directory: directory.to_owned(), loaded, failures })
    }

    /// Emits the event of a bundle of the directory that is not loaded.
    fn emit_not_loaded(&self, manifest: &ManifestData, error: &RuntimeError) {
        self.emit_failed(Operation::Load, || self.describe_manifest(manifest), error);
    }

    /// Reads the manifests in a directory's subdirectories, in the order of the bundles' names. Adds the error of each
    /// manifest that cannot be read to `failures`.
    fn manifests(&self, directory: &Path, failures: &mut Vec<RuntimeError>) -> std::io::Result<Vec<ManifestData>> {
        let entries = std::fs::read_dir(directory)?.collect::<Result<Vec<_>, _>>()?;
        let mut bundles: Vec<PathBuf> =
            entries.into_iter().map(|entry| entry.path()).filter(|path| is_bundle(path)).collect();
        bundles.sort_unstable();
        let mut found = Vec::new();
        for bundle in bundles {
            match ManifestData::read(&bundle) {
                Ok(manifest) => found.push(manifest),
                Err(error) => {
                    let error = error.into();
                    self.emit_failed(Operation::Load, || BundleInfo::of_path(&bundle), &error);
                    failures.push(error);
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn load_all(&self, mut pending: Vec<ManifestData>, progress: &mut Progress) {
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
                break;
            }
        }
        if self.config().compatibility == Compatibility::Relaxed {
            pending.iter().for_each(|manifest| self.load_one(manifest, progress));
        } else if !pending.is_empty() {
            self.diagnose(pending, &mut progress.failures);
        }
    }

    fn load_one(&self, manifest: &ManifestData, progress: &mut Progress) {
        match self.load_bundle(&manifest.path) {
            Ok(id) => progress.loaded.push(id),
            Err(error) => progress.failures.push(error),
        }
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
                self.emit_not_loaded(&bundle.manifest, &error);
                failures.push(error);
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
                cycle.iter().for_each(|(from, _)| self.emit_not_loaded(&unresolved[*from].manifest, &error));
                failures.push(error);
                is_explained = true;
            }
            if !is_explained && let Some(edge) = edges[i].first() {
                let provider = unresolved[edge.to].manifest.name.clone();
                let error = RuntimeError::DependencyNotLoaded { declared: bundle.declared(edge.contract), provider };
                self.emit_not_loaded(&bundle.manifest, &error);
                failures.push(error);
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
                self.emit_not_loaded(&manifest, &error);
                failures.push(error);
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

fn is_bundle(path: &Path) -> bool {
    path.is_dir() && path.join(FILE_NAME).symlink_metadata().is_ok()
}

/// Returns `found` if each name occurs once, otherwise an error for each name that occurs more often, with the bundles
/// of that name.
fn without_duplicates(found: Vec<ManifestData>) -> Result<Vec<ManifestData>, Vec<(Vec<ManifestData>, RuntimeError)>> {
    let same_name = found.chunk_by(|a, b| a.name == b.name).filter(|same| same.len() > 1);
    let duplicates: Vec<_> = same_name
        .map(|same| {
            let bundle = same[0].name.clone();
            let directories = same.iter().map(|manifest| manifest.path.clone()).collect();
            (same.to_vec(), RuntimeError::DuplicateName { bundle, directories })
        })
        .collect();
    if duplicates.is_empty() { Ok(found) } else { Err(duplicates) }
}
