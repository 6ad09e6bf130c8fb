//! Fingerprints of a bundle's files, which show that one of the files has changed.
//!
//! A fingerprint has the names, lengths, times and identities of files; no file is read. Left out are files that do
//! not belong to a bundle: hidden files, the files that editors write beside those they edit, caches, and folders that
//! are used in place.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::shared_dirs::{BundleRoot, SharedDirs};

/// The greatest depth to which the directories of a bundle may nest.
pub(crate) const DEPTH_LIMIT: usize = 32;

/// The metadata of a bundle's files, by their paths in the bundle's directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fingerprint(BTreeMap<PathBuf, Stamp>);

/// The metadata of one file. For a link, the metadata of the file that the link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
    identity: Option<(u64, u64)>,
}

/// A path where a change of a bundle's files may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place<'a> {
    /// A directory in which files lie.
    Directory(&'a Path),
    /// A file that does not exist.
    Missing(&'a Path),
}

impl Fingerprint {
    /// Takes the fingerprint of the bundle in `root` without its `shared_dirs`, and passes to `visit` where the
    /// bundle's files lie. The artifact, whose path is relative, is included wherever it lies.
    pub(crate) fn take(
        root: &Path,
        artifact: &Path,
        shared_dirs: &SharedDirs,
        mut visit: impl FnMut(Place<'_>),
    ) -> Self {
        let mut this = Self::default();
        this.walk(&shared_dirs.bundle_root(root), &mut vec![root.to_owned()], Path::new(""), &mut visit);
        if !artifact.as_os_str().is_empty() && !this.0.contains_key(artifact) {
            this.add(root, artifact, &mut visit);
        }
        this
    }

    /// Returns the time of the latest change of a file.
    pub(crate) fn latest(&self) -> Option<SystemTime> {
        self.0.values().filter_map(|stamp| stamp.modified).max()
    }

    /// Adds the files of a directory. `inside` is the directory's path in the bundle, and the last path of `within` is
    /// its real path, after those of the directories that contain it.
    fn walk(
        &mut self,
        bundle_root: &BundleRoot<'_>,
        within: &mut Vec<PathBuf>,
        inside: &Path,
        visit: &mut impl FnMut(Place<'_>),
    ) {
        let Some(directory) = within.last() else { return };
        let Ok(entries) = fs::read_dir(directory) else { return };
        visit(Place::Directory(directory));
        for entry in entries.flatten() {
            let name = entry.file_name();
            let path = inside.join(&name);
            match entry.file_type() {
                Err(_) => {}
                Ok(_) if !belongs(&name) => {}
                Ok(kind) if kind.is_dir() => {
                    if !is_cache(&entry.path()) && !bundle_root.is_shared(&entry.path()) {
                        self.walk_below(bundle_root, within, entry.path(), &path, visit);
                    }
                }
                // A file that is not a link lies in `directory`, which was passed to `visit` above.
                Ok(kind) if kind.is_file() => {
                    if let Some(stamp) = entry.metadata().ok().as_ref().and_then(Stamp::of) {
                        self.0.insert(path, stamp);
                    }
                }
                Ok(_) if bundle_root.is_shared(&entry.path()) => {}
                Ok(_) => match entry.path().canonicalize() {
                    Ok(real) if real.is_dir() => {
                        let counts = real.starts_with(bundle_root.root) && !is_in_cache(bundle_root.root, &real);
                        if counts && !bundle_root.is_shared(&real) {
                            self.walk_below(bundle_root, within, real, &path, visit);
                        }
                    }
                    _ => self.add(bundle_root.root, &path, visit),
                },
            }
        }
    }

    /// Walks through a directory, unless it nests too deeply or a link leads back to a directory that contains it. A
    /// private copy of such a bundle is refused.
    fn walk_below(
        &mut self,
        bundle_root: &BundleRoot<'_>,
        within: &mut Vec<PathBuf>,
        real: PathBuf,
        inside: &Path,
        visit: &mut impl FnMut(Place<'_>),
    ) {
        if within.len() > DEPTH_LIMIT || within.contains(&real) {
            return;
        }
        within.push(real);
        self.walk(bundle_root, within, inside, visit);
        within.pop();
    }

    fn add(&mut self, root: &Path, path: &Path, visit: &mut impl FnMut(Place<'_>)) {
        let file = root.join(path);
        let Ok(real) = file.canonicalize() else { return visit(Place::Missing(&file)) };
        if let Some(stamp) = fs::metadata(&real).ok().as_ref().and_then(Stamp::of) {
            self.0.insert(path.to_owned(), stamp);
        }
        if let Some(directory) = real.parent() {
            visit(Place::Directory(directory));
        }
    }
}

impl Stamp {
    /// Returns the stamp of a file, or `None` for anything else.
    fn of(found: &Metadata) -> Option<Self> {
        found.is_file().then(|| Self { len: found.len(), modified: found.modified().ok(), identity: identity(found) })
    }
}

#[cfg(unix)]
fn identity(found: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// Returns whether a file or directory of this name is part of a bundle.
pub(crate) fn belongs(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let hidden = name.starts_with('.');
    let backup = name.ends_with('~') || name.ends_with(".bak") || name.ends_with(".orig");
    // Emacs, JetBrains, and vim, which creates `4913` to test whether it may write.
    let editing = name.starts_with('#') || name.contains("___jb_") || name == "4913";
    let partial = name.ends_with(".tmp") || name.ends_with(".swp") || name.ends_with(".part");
    !(hidden || backup || editing || partial || name == "__pycache__")
}

/// Returns whether a directory is marked as a cache, as cargo marks `target`: see
/// <https://bford.info/cachedir/>.
pub(crate) fn is_cache(directory: &Path) -> bool {
    directory.join("CACHEDIR.TAG").exists()
}

/// Returns whether a directory below `root` is a cache, or lies in one.
pub(crate) fn is_in_cache(root: &Path, directory: &Path) -> bool {
    directory.ancestors().take_while(|above| *above != root).any(is_cache)
}

#[cfg(all(test, not(miri)))] // Miri shows no files
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let this = Self(tempfile::tempdir().unwrap());
            for file in ["manifest.toml", "plugin.so", "lib/helper.lua"] {
                this.write(file, file);
            }
            this
        }

        fn write(&self, file: &str, contents: &str) {
            let path = self.0.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }

        fn look(&self, artifact: &str) -> (Fingerprint, BTreeSet<String>) {
            self.look_beside(artifact, &[])
        }

        /// Takes the fingerprint of a bundle whose folders `shared_dirs` are used in place.
        fn look_beside(&self, artifact: &str, shared_dirs: &[&str]) -> (Fingerprint, BTreeSet<String>) {
            let root = self.0.path().canonicalize().unwrap();
            let mut places = BTreeSet::new();
            let shared_dirs = SharedDirs::new(shared_dirs.iter().map(PathBuf::from).collect(), &root).unwrap();
            let fingerprint = Fingerprint::take(&root, Path::new(artifact), &shared_dirs, |place| {
                let (mark, path) = match place {
                    Place::Directory(path) => ("", path),
                    Place::Missing(path) => ("no ", path),
                };
                places.insert(format!("{mark}{}", path.strip_prefix(&root).unwrap().display()));
            });
            (fingerprint, places)
        }
    }

    fn set(places: &[&str]) -> BTreeSet<String> {
        places.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn changes_of_what_belongs_show() {
        let folder = Folder::new();
        let (before, places) = folder.look("plugin.so");
        assert_eq!(places, set(&["", "lib"]));
        assert_eq!(folder.look("plugin.so").0, before);
        let mut seen = vec![before];
        let mut differs = |what: &str| {
            let (now, _) = folder.look("plugin.so");
            assert!(!seen.contains(&now), "{what}");
            seen.push(now);
        };
        folder.write("plugin.so", "longer than before");
        differs("a length");
        folder.write("new", "");
        differs("a file");
        fs::remove_file(folder.0.path().join("plugin.so")).unwrap();
        differs("a file that is gone");
        folder.write("lib/helper.lua", "other");
        differs("a file further down");
        let file = fs::File::options().write(true).open(folder.0.path().join("new")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        differs("a time");
    }

    #[cfg(unix)]
    #[test]
    fn another_file_shows_by_its_identity() {
        let folder = Folder::new();
        let path = folder.0.path().join("plugin.so");
        let (before, _) = folder.look("plugin.so");
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::copy(&path, folder.0.path().join(".plugin.so")).unwrap();
        fs::rename(folder.0.path().join(".plugin.so"), &path).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_ne!(folder.look("plugin.so").0, before);
    }

    #[test]
    fn what_does_not_belong_is_not_seen() {
        let folder = Folder::new();
        let before = folder.look("plugin.so");
        for file in [
            ".plugin.lua.swp",
            "#plugin.lua#",
            ".#plugin.lua",
            "plugin.lua~",
            "plugin.lua___jb_tmp___",
            "4913",
            "plugin.so.tmp",
            ".git/index",
            "__pycache__/a.pyc",
        ] {
            folder.write(file, file);
            assert_eq!(folder.look("plugin.so"), before, "{file}");
        }
    }

    #[test]
    fn of_a_cache_only_the_artifact_counts() {
        let folder = Folder::new();
        folder.write("target/CACHEDIR.TAG", "");
        folder.write("target/debug/deps/other", "");
        let artifact = "target/debug/plugin.so";
        let (missing, places) = folder.look(artifact);
        assert_eq!(places, set(&["", "lib", "no target/debug/plugin.so"]));
        folder.write(artifact, "");
        let (there, places) = folder.look(artifact);
        assert_ne!(there, missing);
        assert_eq!(places, set(&["", "lib", "target/debug"]));
        folder.write("target/debug/deps/other", "changed");
        assert_eq!(folder.look(artifact).0, there);
        folder.write(artifact, "changed");
        assert_ne!(folder.look(artifact).0, there);
    }

    #[test]
    fn what_is_used_where_it_lies_is_not_seen() {
        let folder = Folder::new();
        let before = folder.look_beside("plugin.so", &["env", "lib/env"]);
        for file in ["env/bin/python", "lib/env/package.py"] {
            folder.write(file, file);
            assert_eq!(folder.look_beside("plugin.so", &["env", "lib/env"]), before, "{file}");
            assert_ne!(folder.look_beside("plugin.so", &["other"]), before, "{file}");
        }
        folder.write("lib/environment", "is another");
        assert_ne!(folder.look_beside("plugin.so", &["env", "lib/env"]), before);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_used_where_it_lies_is_not_seen_by_a_link() {
        use std::os::unix::fs::symlink;

        let folder = Folder::new();
        folder.write("real/env/package.py", "one");
        for (leads_to, link) in [("real/env", "env"), ("env", "again"), ("../real/env", "lib/env")] {
            symlink(leads_to, folder.0.path().join(link)).unwrap();
        }
        let before = folder.look_beside("plugin.so", &["env"]);
        assert_eq!(before.1, set(&["", "lib", "real"]));
        folder.write("real/env/package.py", "other");
        assert_eq!(folder.look_beside("plugin.so", &["env"]), before);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed() {
        let folder = Folder::new();
        folder.write(".versions/1/plugin.so", "one");
        fs::remove_file(folder.0.path().join("plugin.so")).unwrap();
        std::os::unix::fs::symlink(".versions/1/plugin.so", folder.0.path().join("plugin.so")).unwrap();
        let (before, places) = folder.look("plugin.so");
        assert_eq!(places, set(&["", ".versions/1", "lib"]));
        folder.write(".versions/1/plugin.so", "other");
        assert_ne!(folder.look("plugin.so").0, before);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_folders_are_followed() {
        use std::os::unix::fs::symlink;

        let folder = Folder::new();
        folder.write(".versions/1/data/words", "some");
        folder.write("target/CACHEDIR.TAG", "");
        folder.write("target/debug/deps/other", "");
        for (leads_to, link) in [(".versions/1", "current"), ("target/debug", "built"), (".", "round"), ("..", "out")] {
            symlink(leads_to, folder.0.path().join(link)).unwrap();
        }
        let (before, places) = folder.look("plugin.so");
        assert_eq!(places, set(&["", ".versions/1", ".versions/1/data", "lib"]));
        folder.write(".versions/1/data/words", "other ones");
        let (after, _) = folder.look("plugin.so");
        assert_ne!(after, before);
        fs::remove_file(folder.0.path().join("current")).unwrap();
        folder.write(".versions/2/data/words", "other ones");
        symlink(".versions/2", folder.0.path().join("current")).unwrap();
        assert_ne!(folder.look("plugin.so").0, after, "it leads elsewhere");
        folder.write("target/debug/deps/other", "changed");
        let (last, _) = folder.look("plugin.so");
        folder.write("target/debug/deps/other", "changed again");
        assert_eq!(folder.look("plugin.so").0, last);
    }

    #[test]
    fn what_is_missing_looks_like_nothing() {
        let nowhere = Path::new("/there/is/no/such/directory");
        let gone = Fingerprint::take(nowhere, Path::new(""), &SharedDirs::default(), |_| unreachable!());
        assert_eq!(gone, Fingerprint::default());
    }
}
