//! Fingerprints of a bundle's files, which show that one of the files has changed.
//!
//! A fingerprint has the names, lengths, times and identities of files, and the paths in links; no file is read. Left
//! out are files that say nothing about the bundle: hidden files, files that are being written, caches, and folders
//! that are used in place. What keeps the bundle from being copied is part of the fingerprint wherever it is, so that
//! its removal shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::file::Stamp;
use super::names::belongs;
use super::tree::{Artifact, Kind, Node, Target, Tree};

/// The metadata of a bundle's files, by their paths in the bundle's directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fingerprint(BTreeMap<PathBuf, Mark>);

/// The metadata of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    File(Stamp),
    /// A link, by its path, with the metadata of the file that it leads to.
    Link(PathBuf, Option<Stamp>),
    /// A reason why the bundle cannot be copied.
    Fault(String),
}

/// A path where a change of a bundle's files may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place<'a> {
    /// A directory in which files lie.
    Directory(&'a Path),
    /// A file that does not exist, or an entry that keeps the bundle from being copied.
    Entry(&'a Path),
}

impl Fingerprint {
    /// Returns the fingerprint of a bundle's tree, and passes to `visit` where the bundle's files lie. The artifact, whose
    /// path is relative to the tree's root, is included wherever it lies.
    pub(crate) fn of(tree: &Tree, artifact: &Path, mut visit: impl FnMut(Place<'_>)) -> Self {
        let mut marks = BTreeMap::new();
        let counting = counting_folders(tree);
        for (folder, nodes) in &tree.folders {
            let counts = counting.contains(&**folder);
            if counts {
                visit(Place::Directory(&tree.root.join(folder)));
            }
            for Node { name, kind } in nodes.iter().filter(|node| counts && belongs(&node.name)) {
                let path = folder.join(name);
                match kind {
                    Kind::File(stamp) => drop(marks.insert(path, Mark::File(*stamp))),
                    Kind::Link { text, target } => {
                        let stamp = match target {
                            Target::File(real, stamp) => {
                                // The file may lie in a folder whose other files do not count.
                                if let Some(directory) = tree.root.join(real).parent() {
                                    visit(Place::Directory(directory));
                                }
                                Some(*stamp)
                            }
                            Target::Missing => {
                                visit(Place::Entry(&tree.root.join(&path)));
                                None
                            }
                            _ => None,
                        };
                        marks.insert(path, Mark::Link(text.clone(), stamp));
                    }
                    Kind::Folder | Kind::Other => {}
                }
            }
        }
        let mut this = Self(marks);
        this.add_artifact(tree, artifact, &mut visit);
        for fault in &tree.faults {
            if !fault.path.as_os_str().is_empty() {
                visit(Place::Entry(&tree.root.join(&fault.path)));
            }
            this.0.insert(fault.path.clone(), Mark::Fault(fault.reason.clone()));
        }
        this
    }

    /// Returns the fingerprint of the files of a folder itself, or of a single file.
    #[cfg(any(feature = "packs", feature = "watch"))]
    pub(crate) fn shallow(path: &Path) -> Self {
        let stamp = |path: &Path| match std::fs::metadata(path) {
            Ok(found) if found.is_file() => Some(Mark::File(Stamp::of(&found))),
            Ok(_) => None,
            Err(error) => Some(Mark::Fault(error.kind().to_string())),
        };
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let counted = entries.filter(|path| path.file_name().is_some_and(belongs)).chain([path.to_owned()]);
        Self(counted.filter_map(|path| Some((path.clone(), stamp(&path)?))).collect())
    }

    /// Returns the paths of the files.
    #[cfg(feature = "watch")]
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let is_file = |mark: &Mark| matches!(mark, Mark::File(_) | Mark::Link(_, Some(_)));
        self.0.iter().filter(move |(_, mark)| is_file(mark)).map(|(path, _)| path.as_path())
    }

    /// Returns the file that was changed last, with the time.
    pub(crate) fn latest(&self) -> Option<(&Path, SystemTime)> {
        let times = self.0.iter().filter_map(|(path, mark)| match mark {
            Mark::File(stamp) | Mark::Link(_, Some(stamp)) => Some((path.as_path(), stamp.modified?)),
            _ => None,
        });
        times.max_by_key(|(_, modified)| *modified)
    }

    /// Adds the artifact, unless it is one of the files that count.
    fn add_artifact(&mut self, tree: &Tree, artifact: &Path, visit: &mut impl FnMut(Place<'_>)) {
        match &tree.artifact {
            Artifact::Beside { path, real, stamp } => {
                if let Some(directory) = real.parent() {
                    visit(Place::Directory(directory));
                }
                self.0.insert(path.clone(), Mark::File(*stamp));
            }
            Artifact::Missing(path) => visit(Place::Entry(&tree.root.join(path))),
            Artifact::InTree if artifact.as_os_str().is_empty() || self.0.contains_key(artifact) => {}
            // A hidden file, or a file in a hidden folder.
            Artifact::InTree => {
                let Ok(real) = tree.root.join(artifact).canonicalize() else { return };
                if let Some(directory) = real.parent() {
                    visit(Place::Directory(directory));
                }
                if let Ok(found) = std::fs::metadata(&real) {
                    self.0.insert(artifact.to_owned(), Mark::File(Stamp::of(&found)));
                }
            }
        }
    }
}

/// Returns the folders whose files count: those that are not hidden, and those to which a link leads that counts.
fn counting_folders(tree: &Tree) -> BTreeSet<&Path> {
    let mut counting = BTreeSet::new();
    let mut pending = vec![Path::new("").to_owned()];
    while let Some(folder) = pending.pop() {
        let Some((folder, nodes)) = tree.folders.get_key_value(&folder) else { continue };
        if !counting.insert(folder.as_path()) {
            continue;
        }
        pending.extend(nodes.iter().filter(|node| belongs(&node.name)).filter_map(|node| match &node.kind {
            Kind::Folder => Some(folder.join(&node.name)),
            Kind::Link { target: Target::Folder(target), .. } => Some(target.clone()),
            _ => None,
        }));
    }
    counting
}

#[cfg(all(test, not(miri)))] // Miri shows no files
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::MAIN_SEPARATOR;

    use super::super::limits::BundleLimits;
    use super::super::shared_dirs::SharedDirs;
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
            let artifact = Path::new(artifact);
            let tree = Tree::take(&root, artifact, &shared_dirs, BundleLimits::default());
            let fingerprint = Fingerprint::of(&tree, artifact, |place| {
                let (mark, path) = match place {
                    Place::Directory(path) => ("", path),
                    Place::Entry(path) => ("no ", path),
                };
                let path = path.strip_prefix(&root).unwrap().display().to_string();
                places.insert(format!("{mark}{}", path.replace(MAIN_SEPARATOR, "/")));
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
        assert_eq!(places, set(&["", ".versions/1", ".versions/1/data", "lib", "no out", "no round"]));
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

    #[cfg(unix)]
    #[test]
    fn what_keeps_a_bundle_from_being_copied_shows() {
        use std::os::unix::fs::symlink;

        let folder = Folder::new();
        fs::create_dir(folder.0.path().join(".hidden")).unwrap();
        let (before, _) = folder.look("plugin.so");
        for (leads_to, link) in [("/", "out"), ("..", ".out"), ("../..", ".hidden/out"), (".", ".round")] {
            let path = folder.0.path().join(link);
            symlink(leads_to, &path).unwrap();
            let (with, places) = folder.look("plugin.so");
            assert_ne!(with, before, "{link}");
            assert!(places.contains(&format!("no {link}")), "{link}: {places:?}");
            fs::remove_file(path).unwrap();
            assert_eq!(folder.look("plugin.so").0, before, "{link}");
        }
    }

    #[test]
    fn what_is_missing_looks_like_nothing() {
        let nowhere = Path::new("/there/is/no/such/directory");
        let tree = Tree::take(nowhere, Path::new(""), &SharedDirs::default(), BundleLimits::default());
        let gone = Fingerprint::of(&tree, Path::new(""), |_| unreachable!());
        assert_eq!(gone, Fingerprint::default());
    }
}
