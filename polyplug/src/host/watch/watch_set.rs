//! The directories and files that must be watched to see each way in which the files of a bundle can be replaced.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::host::bundle::fingerprint::{Fingerprint, Place};
use crate::host::bundle::limits::BundleLimits;
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::names::{belongs, is_pack};
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::bundle::tree::Tree;
use crate::host::error::loader::LoaderError;
use crate::host::error::manifest::ManifestError;

/// The greatest number of links on the way to one directory.
const LINK_LIMIT: usize = 40;

/// The directories and files of a bundle. All paths are free of links.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct WatchSet {
    /// Directories in which each file that belongs to a bundle counts.
    directories: BTreeSet<PathBuf>,
    /// Single files and directories that count by their own path: the artifact, the bundle's directory itself, links
    /// that lead to the directory.
    entries: BTreeSet<PathBuf>,
}

impl WatchSet {
    /// Returns the watch set of a directory whose entries count, and not the files below them.
    pub(crate) fn of_directory(path: &Path) -> Self {
        let mut this = Self::default();
        let real = this.lead_to(path);
        if real.is_dir() {
            this.directories.insert(real);
        }
        this
    }

    /// Returns whether files of the bundle lie in `directory` itself, so that the directory must be watched. Other
    /// directories of [`watched`](Self::watched) are watched if the system can.
    pub(crate) fn need(&self, directory: &Path) -> bool {
        self.directories.contains(directory)
    }

    /// Returns the directories to watch.
    pub(crate) fn watched(&self) -> impl Iterator<Item = &Path> {
        let around = self.entries.iter().filter_map(|entry| entry.parent());
        self.directories.iter().map(PathBuf::as_path).chain(around)
    }

    /// Returns whether a change of `path` concerns the bundle.
    pub(crate) fn covers(&self, path: &Path) -> bool {
        let inside = || path.parent().is_some_and(|directory| self.directories.contains(directory));
        self.entries.contains(path)
            || self.directories.contains(path)
            || (inside() && path.file_name().is_some_and(belongs))
    }

    /// Returns whether `path`, or a directory below it, is watched for the bundle.
    pub(crate) fn are_below(&self, path: &Path) -> bool {
        self.watched().any(|directory| directory.starts_with(path))
    }

    /// Adds the entries on the way to `path`. Returns the path without links.
    fn lead_to(&mut self, path: &Path) -> PathBuf {
        let (real, entries) = way(path);
        self.entries.extend(entries);
        real
    }
}

/// The files of a bundle at one look.
pub(crate) struct View {
    pub(crate) watch_set: WatchSet,
    pub(crate) fingerprint: Fingerprint,
    /// The manifest. The artifact has been searched for, but not necessarily found.
    pub(crate) manifest: Result<ManifestData, ManifestError>,
}

impl View {
    /// Looks at a folder that is not a bundle, or at a file. Only the files of the folder itself count.
    pub(crate) fn shallow(path: &Path) -> Self {
        let watch_set = WatchSet::of_directory(path);
        Self { watch_set, fingerprint: Fingerprint::shallow(path), manifest: ManifestData::read(path) }
    }

    /// Looks at the bundle in `directory`, or at the pack of that path. `shared_dirs` gets the manifest, if it can be read, and returns the
    /// directories that are left out.
    pub(crate) fn of(
        directory: &Path,
        limits: BundleLimits,
        shared_dirs: impl FnOnce(Option<&ManifestData>) -> SharedDirs,
    ) -> Self {
        if is_pack(directory) {
            return Self::shallow(directory);
        }
        let mut watch_set = WatchSet::default();
        let root = watch_set.lead_to(directory);
        let mut manifest = ManifestData::read(directory);
        // Other errors of the manifest are reported by `Runtime::readiness`.
        if let Ok(Err(LoaderError::ArtifactMissing { tried, .. })) = manifest.as_mut().map(ManifestData::find_artifact)
        {
            tried.iter().for_each(|path| drop(watch_set.lead_to(path)));
        }
        let shared_dirs = shared_dirs(manifest.as_ref().ok());
        let artifact = manifest.as_ref().map_or("", |manifest| &manifest.file);
        let tree = Tree::take(&root, Path::new(artifact), &shared_dirs, limits);
        let fingerprint = Fingerprint::of(&tree, Path::new(artifact), |place| match place {
            Place::Directory(path) => {
                watch_set.directories.insert(path.to_owned());
            }
            Place::Entry(path) => {
                watch_set.lead_to(path);
            }
        });
        if !artifact.is_empty() {
            watch_set.lead_to(&root.join(artifact));
        }
        Self { watch_set, fingerprint, manifest }
    }
}

/// Follows the absolute `path`. Returns the path without links, and the entries on the way that can be replaced: each
/// link, and the last entry. The first entry that is missing counts as the last.
fn way(path: &Path) -> (PathBuf, BTreeSet<PathBuf>) {
    let mut entries = BTreeSet::new();
    let mut real = PathBuf::new();
    let mut remaining = parts(path);
    let mut links = 0;
    while let Some(part) = remaining.pop_front() {
        match Path::new(&part).components().next() {
            Some(Component::CurDir) => {}
            Some(Component::ParentDir) => {
                real.pop();
            }
            Some(Component::Normal(name)) => {
                let next = real.join(name);
                let Ok(found) = fs::symlink_metadata(&next) else {
                    entries.insert(next.clone());
                    return (remaining.iter().fold(next, |path, part| path.join(part)), entries);
                };
                if !found.is_symlink() || links == LINK_LIMIT {
                    real = in_one_form(next);
                    continue;
                }
                links += 1;
                // The first part of an absolute target is the root, at which `real` starts anew.
                let target = fs::read_link(&next).map(|target| parts(&target)).unwrap_or_default();
                remaining = target.into_iter().chain(remaining).collect();
                entries.insert(next);
            }
            _ => real.push(part),
        }
    }
    entries.insert(real.clone());
    (real, entries)
}

/// Returns a path without links in the form that is compared. On Windows a path has several forms, and names are found by
/// letters of either case.
fn in_one_form(path: PathBuf) -> PathBuf {
    if cfg!(windows) { path.canonicalize().unwrap_or(path) } else { path }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components().map(|part| part.as_os_str().to_owned()).collect()
}

#[cfg(all(test, not(miri)))] // Miri has no access to files
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        (folder, root)
    }

    fn set(root: &Path, entries: &[&str]) -> BTreeSet<PathBuf> {
        entries.iter().map(|entry| root.join(entry)).collect()
    }

    #[test]
    fn the_way_to_a_directory_is_the_directory() {
        let (_folder, root) = folder();
        fs::create_dir_all(root.join("a/b")).unwrap();
        assert_eq!(way(&root.join("a/./b/../b")), (root.join("a/b"), set(&root, &["a/b"])));
    }

    #[test]
    fn the_way_ends_where_something_is_missing() {
        let (_folder, root) = folder();
        fs::create_dir_all(root.join("a")).unwrap();
        assert_eq!(way(&root.join("a/b/c")), (root.join("a/b/c"), set(&root, &["a/b"])));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_on_the_way() {
        use std::os::unix::fs::symlink;
        let (_folder, root) = folder();
        fs::create_dir_all(root.join("releases/3/calc")).unwrap();
        symlink("3", root.join("releases/latest")).unwrap();
        symlink(root.join("releases/latest"), root.join("current")).unwrap();
        let expected = set(&root, &["current", "releases/latest", "releases/3/calc"]);
        assert_eq!(way(&root.join("current/calc")), (root.join("releases/3/calc"), expected));
    }

    #[cfg(unix)]
    #[test]
    fn links_may_lead_in_a_circle() {
        let (_folder, root) = folder();
        std::os::unix::fs::symlink("round", root.join("round")).unwrap();
        assert_eq!(way(&root.join("round")), (root.join("round"), set(&root, &["round"])));
    }

    #[test]
    fn what_is_left_in_place_is_not_watched() {
        let (_folder, root) = folder();
        for directory in ["env/lib", "lib"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        let env = || SharedDirs::new(vec!["env".into()], &root).unwrap();
        let check = |is_whole: bool| {
            let View { watch_set, fingerprint, .. } = View::of(&root, BundleLimits::default(), |manifest| {
                assert_eq!(manifest.is_some(), is_whole);
                env()
            });
            let watched: BTreeSet<_> = watch_set.watched().map(Path::to_owned).collect();
            assert!(
                watched.contains(&root.join("lib")) && !watched.iter().any(|place| place.starts_with(root.join("env")))
            );
            fs::write(root.join("env/lib/package"), if is_whole { "one" } else { "another" }).unwrap();
            assert!(
                View::of(&root, BundleLimits::default(), |_| env()).fingerprint == fingerprint,
                "nobody looks there"
            );
            assert!(View::of(&root, BundleLimits::default(), |_| SharedDirs::default()).fingerprint != fingerprint);
        };
        check(false);
        fs::write(root.join("manifest.toml"), "name = \"a\"\nversion = \"1.0.0\"\nloader = \"a\"\n").unwrap();
        check(true);
    }

    #[test]
    fn what_concerns_a_bundle() {
        let (_folder, root) = folder();
        let bundle = root.join("calc");
        fs::create_dir_all(bundle.join("lib")).unwrap();
        fs::create_dir_all(bundle.join("target/debug/deps")).unwrap();
        fs::write(bundle.join("target/CACHEDIR.TAG"), "").unwrap();
        let manifest = "name = \"calc\"\nversion = \"1.0.0\"\nloader = \"native\"\nfile = \"target/debug/.calc\"\n";
        fs::write(bundle.join("manifest.toml"), manifest).unwrap();
        let file = format!("target/debug/.calc{}", std::env::consts::DLL_SUFFIX);
        let check = |artifact: &str| {
            let watch_set = View::of(&bundle, BundleLimits::default(), |_| SharedDirs::default()).watch_set;
            for path in ["", "manifest.toml", "new", "lib", "lib/new.lua", artifact] {
                assert!(watch_set.covers(&bundle.join(path)), "{path}");
            }
            for path in [".hidden", "lib/x.lua~", "target/debug/deps/x", "../other", "lib/far/away"] {
                assert!(!watch_set.covers(&bundle.join(path)), "{path}");
            }
            let watched: BTreeSet<_> = watch_set.watched().map(Path::to_owned).collect();
            assert!(watched.is_superset(&set(&root, &["", "calc", "calc/lib"])));
            watched
        };
        let without = check(&file);
        fs::write(bundle.join(&file), "").unwrap();
        let with = check(&file);
        assert_eq!(without, with);
        assert!(with.contains(&bundle.join("target/debug")));
        assert!(!with.contains(&bundle.join("target/debug/deps")));
        fs::remove_dir_all(bundle.join("target")).unwrap();
        let cleaned = check("target");
        assert!(!cleaned.contains(&bundle.join("target/debug")));
    }
}
