//! Loading all bundles of a directory, each after those that it needs.
//!
//! Manifests say what bundles need, not what they provide. So whatever has all that it needs is loaded, again and again,
//! until nothing more can be.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use polyplug_abi::{BundleId, Compatibility, GuestContractId, Version};

use super::requirements::declared_dependency;
use super::runtime::Runtime;
use crate::host::bundle::manifest::{Dependency, FILE_NAME, ManifestData};
use crate::host::error::dependency::{CycleStep, MissingDependency, Offer};
use crate::host::error::runtime::RuntimeError;

/// What is known while a directory is loaded.
#[derive(Default)]
struct Progress {
    loaded: Vec<BundleId>,
    failures: Vec<RuntimeError>,
}

impl Runtime {
    /// Loads all bundles in `directory`: its subdirectories with a `manifest.toml`, in an order in which each one comes
    /// after those that it [depends](ManifestData::dependencies) on, and else by name. The result is that order.
    ///
    /// A bundle that cannot be loaded does not keep others from it: they are tried all the same, and stay loaded. The
    /// error lists everything that failed.
    ///
    /// With [`Compatibility::Relaxed`], bundles whose dependencies nobody provides come last, with a warning each.
    /// Otherwise they are refused. To say which of them need each other, their code is started, without being published,
    /// and discarded again.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Directory`], with an error for each failure: [`DuplicateName`](RuntimeError::DuplicateName), and
    /// then nothing is loaded, [`DependencyMissing`](RuntimeError::DependencyMissing),
    /// [`DependencyCycle`](RuntimeError::DependencyCycle), [`DependencyNotLoaded`](RuntimeError::DependencyNotLoaded), and
    /// all that can befall a bundle by itself. [`RuntimeError::DirectoryUnreadable`].
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
        let mut progress = Progress::default();
        let found = manifests(directory, &mut progress.failures)
            .map_err(|source| RuntimeError::DirectoryUnreadable { directory: directory.to_owned(), source })?;
        match without_duplicates(found) {
            Ok(pending) => self.load_all(pending, &mut progress),
            Err(duplicates) => progress.failures.extend(duplicates),
        }
        let Progress { loaded, failures } = progress;
        if failures.is_empty() {
            return Ok(loaded);
        }
        Err(RuntimeError::Directory { directory: directory.to_owned(), loaded, failures })
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

    /// Says why none of these bundles can be loaded.
    fn diagnose(&self, pending: Vec<ManifestData>, failures: &mut Vec<RuntimeError>) {
        let left: Vec<_> = pending.into_iter().map(|manifest| self.unresolved(manifest, failures)).collect();
        let edges: Vec<_> = left.iter().enumerate().map(|(i, bundle)| edges(&left, i, bundle)).collect();
        let mut in_cycles = HashSet::new();
        for (i, bundle) in left.iter().enumerate() {
            let hopeless: Vec<_> = bundle
                .missing
                .iter()
                .filter(|(need, _)| !edges[i].iter().any(|edge| edge.contract == need.id()))
                .map(|(need, missing)| with_offers(&left, i, need, missing))
                .collect();
            let mut is_explained = !hopeless.is_empty();
            if is_explained {
                failures.push(RuntimeError::DependencyMissing { missing: hopeless });
            }
            if in_cycles.contains(&i) {
                continue;
            }
            if let Some(cycle) = shortest_cycle(&edges, i) {
                in_cycles.extend(cycle.iter().map(|(from, _)| *from));
                let steps = cycle.iter().map(|(from, edge)| CycleStep {
                    declared: left[*from].declared(edge.contract),
                    provider: left[edge.to].manifest.name.clone(),
                });
                failures.push(RuntimeError::DependencyCycle { steps: steps.collect() });
                is_explained = true;
            }
            if !is_explained && let Some(edge) = edges[i].first() {
                let provider = left[edge.to].manifest.name.clone();
                failures.push(RuntimeError::DependencyNotLoaded { declared: bundle.declared(edge.contract), provider });
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
                failures.push(error);
                Vec::new()
            }
        };
        Unresolved { manifest, missing, provides }
    }
}

/// A bundle that cannot be loaded for want of others.
struct Unresolved {
    manifest: ManifestData,
    missing: Vec<(Dependency, MissingDependency)>,
    provides: Vec<Provides>,
}

struct Provides {
    contract: String,
    version: Version,
}

impl Unresolved {
    fn declared(&self, contract: GuestContractId) -> crate::host::error::dependency::Declared {
        let need = self.manifest.dependencies.iter().find(|need| need.id() == contract);
        declared_dependency(&self.manifest, need.expect("an edge is of a dependency"))
    }

    /// Whether it would provide what another bundle needs.
    fn serves(&self, need: &Dependency) -> bool {
        self.provides.iter().any(|provides| {
            let Version { major, minor, .. } = provides.version;
            provides.contract == need.contract && major == need.major && minor >= need.minor
        })
    }
}

/// What a bundle needs of another one.
struct Edge {
    to: usize,
    contract: GuestContractId,
}

fn edges(left: &[Unresolved], from: usize, bundle: &Unresolved) -> Vec<Edge> {
    let needs = bundle.missing.iter().map(|(need, _)| need);
    let providers = |need: &Dependency| {
        let others = left.iter().enumerate().filter(|(to, other)| *to != from && other.serves(need));
        others.map(|(to, _)| Edge { to, contract: need.id() }).collect::<Vec<_>>()
    };
    needs.flat_map(providers).collect()
}

/// What is missing, with what the other bundles would offer.
fn with_offers(left: &[Unresolved], from: usize, need: &Dependency, missing: &MissingDependency) -> MissingDependency {
    let mut missing = missing.clone();
    for (_, other) in left.iter().enumerate().filter(|(to, _)| *to != from) {
        let same_name = other.provides.iter().filter(|provides| provides.contract == need.contract);
        let bundle = &other.manifest.name;
        missing.offered.extend(same_name.map(|provides| Offer { bundle: bundle.clone(), version: provides.version }));
    }
    missing
}

/// The shortest way from a bundle back to itself: each bundle on it, and what it needs of the next one.
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

fn trace_cycle<'a>(came_by: &BTreeMap<usize, (usize, &'a Edge)>, start: usize) -> Vec<(usize, &'a Edge)> {
    let mut way = vec![came_by[&start]];
    while let Some((from, _)) = way.last().copied().filter(|(from, _)| *from != start) {
        way.push(came_by[&from]);
    }
    way.reverse();
    way
}

/// The manifests in a directory's subdirectories, by name. What cannot be read is a failure.
fn manifests(directory: &Path, failures: &mut Vec<RuntimeError>) -> std::io::Result<Vec<ManifestData>> {
    let entries = std::fs::read_dir(directory)?.collect::<Result<Vec<_>, _>>()?;
    let mut bundles: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| is_bundle(path)).collect();
    bundles.sort_unstable();
    let mut found = Vec::new();
    for bundle in bundles {
        match ManifestData::read(&bundle) {
            Ok(manifest) => found.push(manifest),
            Err(error) => failures.push(error.into()),
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn is_bundle(path: &Path) -> bool {
    path.is_dir() && path.join(FILE_NAME).symlink_metadata().is_ok()
}

/// The same, if each name comes once.
fn without_duplicates(found: Vec<ManifestData>) -> Result<Vec<ManifestData>, Vec<RuntimeError>> {
    let same_name = found.chunk_by(|a, b| a.name == b.name).filter(|same| same.len() > 1);
    let duplicates: Vec<_> = same_name
        .map(|same| RuntimeError::DuplicateName {
            bundle: same[0].name.clone(),
            directories: same.iter().map(|manifest| manifest.path.clone()).collect(),
        })
        .collect();
    if duplicates.is_empty() { Ok(found) } else { Err(duplicates) }
}
