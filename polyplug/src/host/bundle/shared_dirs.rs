//! Folders of a bundle that are used where they lie: see [`BundleLoader::shared_dirs`].
//!
//! They are no part of what a version runs from, so they are neither copied nor looked at for changes.
//!
//! [`BundleLoader::shared_dirs`]: crate::host::runtime::loader::BundleLoader::shared_dirs

use std::path::{Component, Path, PathBuf};

/// The folders of one bundle, relative to its directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SharedDirs(Vec<PathBuf>);

/// The directory of a bundle, for somebody who walks through it and follows its links.
pub(crate) struct BundleRoot<'a> {
    pub(crate) root: &'a Path,
    /// Where the folders lie.
    resolved: Vec<PathBuf>,
}

impl SharedDirs {
    /// What a loader names for the bundle in `root`; what is wrong with it otherwise.
    pub(crate) fn new(folders: Vec<PathBuf>, root: &Path) -> Result<Self, String> {
        folders.iter().try_for_each(|folder| check(folder, root))?;
        Ok(Self(folders))
    }

    /// The bundle in `root`, a path without links, as it is now.
    pub(crate) fn bundle_root<'a>(&self, root: &'a Path) -> BundleRoot<'a> {
        BundleRoot { root, resolved: self.0.iter().flat_map(|folder| resolve(folder, root)).collect() }
    }

    /// The first of the folders that is there, in the bundle in `root`. A link counts, wherever it leads.
    #[cfg(any(test, feature = "signatures"))]
    pub(crate) fn existing(&self, root: &Path) -> Option<&Path> {
        self.0.iter().find(|folder| root.join(folder).symlink_metadata().is_ok()).map(PathBuf::as_path)
    }

    /// The folder in which `file` lies, in the bundle in `root`, by its name or in truth.
    pub(crate) fn folder_of(&self, file: &Path, root: &Path) -> Option<&Path> {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let named = root.join(file);
        let real = named.canonicalize().unwrap_or_else(|_| named.clone());
        let has_file = |folder: &&PathBuf| {
            let resolved = resolve(folder, &root);
            resolved.iter().any(|spot| named.starts_with(spot) || real.starts_with(spot))
        };
        self.0.iter().find(has_file).map(PathBuf::as_path)
    }
}

impl BundleRoot<'_> {
    /// Whether `path`, which has no links on its way, is one of the folders, or lies in one.
    pub(crate) fn is_shared(&self, path: &Path) -> bool {
        self.resolved.iter().any(|spot| path.starts_with(spot))
    }
}

/// By the folder's name, where links on the way to it lead, and where one in its place leads. Outside of the bundle nobody
/// walks; and what leads to all of the bundle does not make it disappear.
fn resolve(folder: &Path, root: &Path) -> [PathBuf; 3] {
    let named = root.join(folder);
    let beside = named.parent().and_then(|parent| Some(parent.canonicalize().ok()?.join(named.file_name()?)));
    let real = named.canonicalize().ok().filter(|real| real != root && real.starts_with(root));
    [beside.unwrap_or_else(|| named.clone()), real.unwrap_or_else(|| named.clone()), named]
}

/// Refuses what is no folder in the bundle.
fn check(folder: &Path, root: &Path) -> Result<(), String> {
    let shown = folder.display();
    let way = "name a folder by its path in the bundle's folder";
    if folder.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(format!("\"{shown}\" leads out of the bundle, where nothing of it can be used: {way}"));
    }
    if folder.file_name().is_none() {
        return Err(format!("\"{shown}\" is the bundle's folder itself, which cannot be left out of its copy: {way}"));
    }
    match root.join(folder).metadata() {
        Ok(found) if !found.is_dir() => Err(format!("\"{shown}\" is no folder: {way}")),
        _ => Ok(()),
    }
}

#[cfg(all(test, not(miri)))] // Miri shows no files
mod tests {
    use std::fs;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        (folder, root)
    }

    fn shared_dirs(folders: &[&str], root: &Path) -> Result<SharedDirs, String> {
        SharedDirs::new(folders.iter().map(PathBuf::from).collect(), root)
    }

    #[test]
    fn what_is_no_folder_of_the_bundle_is_refused() {
        let (_folder, root) = folder();
        fs::write(root.join("file"), "").unwrap();
        for (bad, reason) in [
            ("..", "leads out of the bundle"),
            ("a/../../b", "leads out of the bundle"),
            ("/usr/lib", "leads out of the bundle"),
            ("", "is the bundle's folder itself"),
            (".", "is the bundle's folder itself"),
            ("file", "is no folder"),
        ] {
            let error = shared_dirs(&["good", bad], &root).unwrap_err();
            assert!(error.starts_with(&format!("\"{bad}\" {reason}")), "{error}");
            assert!(error.ends_with("name a folder by its path in the bundle's folder"), "{error}");
        }
        assert!(shared_dirs(&["absent", "./a/absent/"], &root).is_ok());
    }

    #[test]
    fn what_is_in_a_folder_is_found() {
        let (_folder, root) = folder();
        fs::create_dir_all(root.join("a/env")).unwrap();
        let shared_dirs = shared_dirs(&["later", "./a/env/"], &root).unwrap();
        let bundle_root = shared_dirs.bundle_root(&root);
        for (path, expected) in [
            ("a/env", true),
            ("a/env/bin/python", true),
            ("later/bin", true),
            ("a", false),
            ("a/environment", false),
            ("env", false),
            ("", false),
        ] {
            assert_eq!(bundle_root.is_shared(&root.join(path)), expected, "{path}");
        }
        assert_eq!(shared_dirs.existing(&root), Some(Path::new("./a/env/")));
        assert_eq!(shared_dirs.folder_of(Path::new("a/env/main.py"), &root), Some(Path::new("./a/env/")));
        assert_eq!(shared_dirs.folder_of(Path::new("a/main.py"), &root), None);
        fs::remove_dir(root.join("a/env")).unwrap();
        assert_eq!(shared_dirs.existing(&root), None);
    }

    #[cfg(unix)]
    #[test]
    fn links_hide_nothing() {
        use std::os::unix::fs::symlink;

        let (_outside, outside) = folder();
        let (_folder, root) = folder();
        fs::create_dir_all(root.join("real/env")).unwrap();
        fs::write(root.join("real/env/main.py"), "").unwrap();
        symlink("real", root.join("link")).unwrap();
        symlink("real/env", root.join("env")).unwrap();
        symlink("env/main.py", root.join("main.py")).unwrap();
        symlink(&outside, root.join("out")).unwrap();
        symlink(".", root.join("all")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        for named in ["link/env", "env"] {
            let shared_dirs = shared_dirs(&[named], &root).unwrap();
            assert!(shared_dirs.bundle_root(&root).is_shared(&root.join("real/env/bin")), "{named}");
            assert!(!shared_dirs.bundle_root(&root).is_shared(&root.join("real")), "{named}");
            for file in ["main.py", "real/env/main.py", "link/env/main.py"] {
                assert_eq!(shared_dirs.folder_of(Path::new(file), &root), Some(Path::new(named)), "{file}");
            }
        }
        for named in ["out", "all", "dangling"] {
            let shared_dirs = shared_dirs(&[named], &root).unwrap();
            assert!(shared_dirs.bundle_root(&root).is_shared(&root.join(named)), "{named}");
            assert!(!shared_dirs.bundle_root(&root).is_shared(&root.join("real")), "{named}");
            assert_eq!(shared_dirs.existing(&root), Some(Path::new(named)));
        }
    }
}
