//! The files of a bundle, as one walk over its directory finds them.
//!
//! A fingerprint, a private copy and a signature are made of the same tree, so they agree on what the bundle is. Left
//! out are files of editors, stores of version control, caches, and folders that are used in place.
//!
//! Each real folder is visited once: a link to a folder of the bundle is an entry of the tree, and is not walked
//! through. Links between folders can therefore not multiply what there is to do. The walk looks at metadata only; no
//! file is opened.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use super::file::Stamp;
use super::limits::{BundleLimits, DEPTH_LIMIT};
use super::names::{is_cache, is_editor_file, is_version_control};
use super::shared_dirs::{BundleRoot, SharedDirs};

/// The files of a bundle. All paths are relative to the bundle's directory, and free of links but for the last part of
/// an entry that is a link.
pub(crate) struct Tree {
    /// The bundle's directory, without links.
    pub(crate) root: PathBuf,
    /// The entries of each folder that is part of the bundle. A folder comes after the one that it lies in.
    pub(crate) folders: BTreeMap<PathBuf, Vec<Node>>,
    /// The artifact, unless one of the folders has it: it may lie in a cache.
    pub(crate) artifact: Artifact,
    pub(crate) faults: Vec<Fault>,
    entries: usize,
    bytes: u64,
}

/// An entry of a folder.
pub(crate) struct Node {
    pub(crate) name: OsString,
    pub(crate) kind: Kind,
}

/// The kind of an entry.
pub(crate) enum Kind {
    /// A folder that is part of the bundle.
    Folder,
    /// A regular file.
    File(Stamp),
    /// A link.
    Link {
        /// The path in the link.
        text: PathBuf,
        target: Target,
    },
    /// A folder that is left out, or no regular file.
    Other,
}

/// The target of a link.
pub(crate) enum Target {
    /// A regular file of the bundle, by its real path.
    File(PathBuf, Stamp),
    /// A folder of the tree.
    Folder(PathBuf),
    /// A folder that is left out, or no regular file.
    Other,
    /// Nothing.
    Missing,
    /// A file or folder that keeps the bundle from being copied: see [`Tree::faults`].
    Bad,
}

/// The artifact of a bundle, by its path in the manifest.
pub(crate) enum Artifact {
    /// A file of one of the tree's folders, or none.
    InTree,
    /// A file that the tree lacks.
    Beside {
        path: PathBuf,
        /// The absolute path without links.
        real: PathBuf,
        stamp: Stamp,
    },
    /// No file.
    Missing(PathBuf),
}

/// A reason why a bundle cannot be copied or signed.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The entry, relative to the bundle's directory. Empty for the directory itself.
    pub(crate) path: PathBuf,
    pub(crate) reason: String,
}

impl Tree {
    /// Looks at the files of the bundle in `root`, a path without links. `artifact` is relative, and may be empty.
    pub(crate) fn take(root: &Path, artifact: &Path, shared_dirs: &SharedDirs, limits: BundleLimits) -> Self {
        let bundle_root = shared_dirs.bundle_root(root);
        let mut this = Self {
            root: root.to_owned(),
            folders: BTreeMap::new(),
            artifact: Artifact::InTree,
            faults: Vec::new(),
            entries: 0,
            bytes: 0,
        };
        this.walk(&bundle_root, Path::new(""), 0, limits);
        this.resolve_links(&bundle_root);
        this.find_artifact(artifact);
        this.find_circles();
        this.check_limits(limits);
        this
    }

    /// Returns the entries of a bundle's files by their paths, as a reader that follows links finds them. A link to a
    /// folder multiplies the files below the folder, so their number is limited.
    #[cfg(any(feature = "packs", feature = "signatures"))]
    pub(crate) fn files(&self, limit: usize) -> Result<BTreeMap<PathBuf, (PathBuf, Stamp)>, Fault> {
        let mut files = BTreeMap::new();
        if let Artifact::Beside { path, real, stamp } = &self.artifact {
            files.insert(path.clone(), (real.clone(), *stamp));
        }
        let mut paths = limit;
        self.list(Path::new(""), Path::new(""), 0, &mut paths, &mut files).map_err(|fault| {
            fault.unwrap_or_else(|| {
                let reason = format!(
                    "the links to its folders make more than {limit} paths of its files and folders: remove links that \
                     nothing needs"
                );
                Fault { path: PathBuf::new(), reason }
            })
        })?;
        Ok(files)
    }

    /// Adds the files of `folder`, which is reached by the path `inside`. Takes one of `paths` for each file and folder.
    ///
    /// # Errors
    ///
    /// `None` if there are not enough `paths`.
    #[cfg(any(feature = "packs", feature = "signatures"))]
    fn list(
        &self,
        folder: &Path,
        inside: &Path,
        depth: usize,
        paths: &mut usize,
        files: &mut BTreeMap<PathBuf, (PathBuf, Stamp)>,
    ) -> Result<(), Option<Fault>> {
        if depth > DEPTH_LIMIT {
            return Err(Some(too_deep(inside)));
        }
        for Node { name, kind } in self.folders.get(folder).into_iter().flatten() {
            *paths = paths.checked_sub(1).ok_or(None)?;
            let path = inside.join(name);
            match kind {
                Kind::Folder => self.list(&folder.join(name), &path, depth + 1, paths, files)?,
                Kind::Link { target: Target::Folder(target), .. } => {
                    self.list(target, &path, depth + 1, paths, files)?;
                }
                Kind::File(stamp) => drop(files.insert(path, (self.root.join(folder).join(name), *stamp))),
                Kind::Link { target: Target::File(real, stamp), .. } => {
                    files.insert(path, (self.root.join(real), *stamp));
                }
                Kind::Link { .. } | Kind::Other => {}
            }
        }
        Ok(())
    }

    fn walk(&mut self, bundle_root: &BundleRoot<'_>, folder: &Path, depth: usize, limits: BundleLimits) {
        let directory = self.root.join(folder);
        let read = match fs::read_dir(&directory) {
            Ok(read) => read,
            // Removed just now. That no bundle is there is reported where its manifest is read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.fault(folder, format!("cannot be listed: {error}")),
        };
        let mut nodes = Vec::new();
        for entry in read {
            if self.entries > limits.entries {
                break; // `check_limits` reports it
            }
            match entry {
                Ok(entry) if bundle_root.is_shared(&directory.join(entry.file_name())) => {}
                Ok(entry) => {
                    self.entries += 1;
                    nodes.extend(node(&entry));
                }
                Err(error) => self.fault(folder, format!("cannot be listed: {error}")),
            }
        }
        // In the order of the names, so that equal folders have equal faults.
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let mut below = Vec::new();
        for node in &nodes {
            match &node.kind {
                Kind::Folder if depth == DEPTH_LIMIT => self.faults.push(too_deep(&folder.join(&node.name))),
                Kind::Folder => below.push(folder.join(&node.name)),
                Kind::File(stamp) => self.bytes = self.bytes.saturating_add(stamp.len),
                _ => {}
            }
        }
        self.folders.insert(folder.to_owned(), nodes);
        for folder in below {
            self.walk(bundle_root, &folder, depth + 1, limits);
        }
    }

    /// Finds what the links lead to.
    fn resolve_links(&mut self, bundle_root: &BundleRoot<'_>) {
        let known: HashSet<PathBuf> = self.folders.keys().cloned().collect();
        let mut faults = Vec::new();
        for (folder, nodes) in &mut self.folders {
            for node in nodes {
                let Kind::Link { target, .. } = &mut node.kind else { continue };
                let path = folder.join(&node.name);
                let found = follow(bundle_root, &path, |real| known.contains(real));
                match &found {
                    Ok(Target::File(_, stamp)) => self.bytes = self.bytes.saturating_add(stamp.len),
                    Ok(Target::Folder(real)) if folder.starts_with(real) => {
                        faults.push(circle(path));
                        *target = Target::Bad;
                        continue;
                    }
                    _ => {}
                }
                *target = found.unwrap_or_else(|reason| {
                    faults.push(Fault { path, reason });
                    Target::Bad
                });
            }
        }
        self.faults.extend(faults);
    }

    fn find_artifact(&mut self, artifact: &Path) {
        if artifact.as_os_str().is_empty() {
            return;
        }
        let path = self.root.join(artifact);
        let found = fs::metadata(&path);
        if found.is_ok() && self.has_file(artifact) {
            return;
        }
        let (Ok(real), Ok(found)) = (path.canonicalize(), found) else {
            self.artifact = Artifact::Missing(artifact.to_owned());
            return;
        };
        if !real.starts_with(&self.root) {
            return self.fault(artifact, LEADS_OUT.to_owned());
        }
        if found.is_file() {
            let stamp = Stamp::of(&found);
            self.bytes = self.bytes.saturating_add(stamp.len);
            self.artifact = Artifact::Beside { path: artifact.to_owned(), real, stamp };
        }
    }

    /// Returns whether a file, whose path may lead through links, is in one of the folders.
    fn has_file(&self, file: &Path) -> bool {
        let (Some(parent), Some(name)) = (file.parent(), file.file_name()) else { return false };
        // The root has no links.
        let real =
            if parent.as_os_str().is_empty() { Ok(self.root.clone()) } else { self.root.join(parent).canonicalize() };
        let Ok(folder) = real else { return false };
        let folder = folder.strip_prefix(&self.root).ok().and_then(|folder| self.folders.get(folder));
        folder.is_some_and(|nodes| nodes.iter().any(|node| node.name == name))
    }

    /// Finds links that lead round in a circle by way of other links. The walk has an explicit stack, as links can make
    /// a long way of few folders.
    fn find_circles(&mut self) {
        #[derive(PartialEq)]
        enum State {
            OnTheWay,
            Done,
        }
        let mut states: HashMap<&Path, State> = HashMap::new();
        let mut bad: Vec<(PathBuf, usize)> = Vec::new();
        let mut way: Vec<(&Path, usize)> = vec![(Path::new(""), 0)];
        states.insert(Path::new(""), State::OnTheWay);
        while let Some((folder, next)) = way.last_mut() {
            let Some(node) = self.folders.get(*folder).and_then(|nodes| nodes.get(*next)) else {
                states.insert(folder, State::Done);
                way.pop();
                continue;
            };
            let (at, number) = (*folder, *next);
            *next += 1;
            let target = match &node.kind {
                Kind::Folder => at.join(&node.name),
                Kind::Link { target: Target::Folder(target), .. } => target.clone(),
                _ => continue,
            };
            let Some((target, _)) = self.folders.get_key_value(&target) else { continue };
            match states.get(&**target) {
                Some(State::OnTheWay) => bad.push((at.to_owned(), number)),
                Some(State::Done) => {}
                None => {
                    states.insert(target, State::OnTheWay);
                    way.push((target, 0));
                }
            }
        }
        drop(states);
        for (folder, number) in bad {
            let Some(node) = self.folders.get_mut(&folder).and_then(|nodes| nodes.get_mut(number)) else { continue };
            if let Kind::Link { target, .. } = &mut node.kind {
                *target = Target::Bad;
                self.faults.push(circle(folder.join(&node.name)));
            }
        }
    }

    fn check_limits(&mut self, limits: BundleLimits) {
        const RAISE: &str = "or let the runtime allow more with `Runtime::builder().bundle_limits(..)`";
        if self.entries > limits.entries {
            let reason = format!(
                "it has more than {} files and folders: remove what is no part of the bundle, {RAISE}",
                limits.entries
            );
            self.faults.push(Fault { path: PathBuf::new(), reason });
        }
        if self.bytes > limits.bytes {
            let largest = self.largest().map(|(path, len)| format!(", {len} of them in {}", path.display()));
            let reason = format!(
                "its files have {} bytes{}, and at most {} may be copied: remove what is no part of the bundle, {RAISE}",
                self.bytes,
                largest.unwrap_or_default(),
                limits.bytes
            );
            self.faults.push(Fault { path: PathBuf::new(), reason });
        }
    }

    /// Returns the largest file.
    fn largest(&self) -> Option<(PathBuf, u64)> {
        let in_folders = self.folders.iter().flat_map(|(folder, nodes)| {
            nodes.iter().filter_map(move |node| match &node.kind {
                Kind::File(stamp) | Kind::Link { target: Target::File(_, stamp), .. } => {
                    Some((folder.join(&node.name), stamp.len))
                }
                _ => None,
            })
        });
        let beside = match &self.artifact {
            Artifact::Beside { path, stamp, .. } => Some((path.clone(), stamp.len)),
            _ => None,
        };
        in_folders.chain(beside).max_by_key(|(_, len)| *len)
    }

    fn fault(&mut self, path: &Path, reason: String) {
        self.faults.push(Fault { path: path.to_owned(), reason });
    }
}

impl Fault {
    /// Returns the fault of a bundle in `root` as text.
    pub(crate) fn text(&self, root: &Path) -> String {
        if self.path.as_os_str().is_empty() {
            return self.reason.clone();
        }
        format!("{} {}", root.join(&self.path).display(), self.reason)
    }
}

/// Returns the entry of a bundle, or `None` for what is no part of a bundle.
fn node(entry: &DirEntry) -> Option<Node> {
    let name = entry.file_name();
    let found = entry.file_type().ok()?;
    let kind = if found.is_dir() {
        let left_out = is_version_control(&name) || is_cache(&entry.path());
        if left_out { Kind::Other } else { Kind::Folder }
    } else if is_editor_file(&name) {
        return None;
    } else if found.is_file() {
        Kind::File(Stamp::of(&metadata(entry).ok()?))
    } else if found.is_symlink() {
        Kind::Link { text: fs::read_link(entry.path()).ok()?, target: Target::Missing }
    } else {
        Kind::Other
    };
    Some(Node { name, kind })
}

/// Returns the metadata of a file.
fn metadata(entry: &DirEntry) -> io::Result<fs::Metadata> {
    // Windows lists a file with the length and the time that it had when it was last closed, or when it was last written
    // by this name if it has several.
    if cfg!(windows) { fs::symlink_metadata(entry.path()) } else { entry.metadata() }
}

/// Follows a link. `is_known` says whether a folder is one of the tree's.
///
/// # Errors
///
/// The reason why the bundle cannot be copied.
fn follow(bundle_root: &BundleRoot<'_>, link: &Path, is_known: impl Fn(&Path) -> bool) -> Result<Target, String> {
    let root = bundle_root.root;
    let Ok(real) = root.join(link).canonicalize() else { return Ok(Target::Missing) };
    let Ok(inside) = real.strip_prefix(root) else { return Err(LEADS_OUT.to_owned()) };
    match fs::metadata(&real) {
        Ok(found) if found.is_file() => Ok(Target::File(inside.to_owned(), Stamp::of(&found))),
        Ok(found) if found.is_dir() && is_known(inside) => Ok(Target::Folder(inside.to_owned())),
        Ok(_) => Ok(Target::Other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Target::Missing),
        Err(error) => Err(format!("is a link to what cannot be looked at: {error}")),
    }
}

const LEADS_OUT: &str = "leads out of the bundle: put what the link leads to in its place";

fn circle(path: PathBuf) -> Fault {
    Fault { path, reason: "is a link to a folder that it lies in, which has no end: remove it".to_owned() }
}

fn too_deep(path: &Path) -> Fault {
    let reason = format!("is nested too deeply, in more than {DEPTH_LIMIT} folders: put it further up");
    Fault { path: path.to_owned(), reason }
}
