//! Folders of a bundle that its loader uses in place: see [`BundleLoader::shared_dirs`].
//!
//! These folders are neither copied for a version nor watched for changes.
//!
//! [`BundleLoader::shared_dirs`]: crate::loader::BundleLoader::shared_dirs

use std::path::{Component, Path, PathBuf};

/// The folders of one bundle, relative to its directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SharedDirs(Vec<PathBuf>);

/// The directory of a bundle and the paths of its shared folders, for a walk that follows links.
pub(crate) struct BundleRoot<'a> {
    pub(crate) root: &'a Path,
    /// The paths of the folders, with and without their links followed.
    resolved: Vec<PathBuf>,
}

impl SharedDirs {
    /// Checks the folders that a loader names for the bundle in `root`. Fails with what is wrong with a folder.
    pub(crate) fn new(folders: Vec<PathBuf>, root: &Path) -> Result<Self, String> {
        folders.iter().try_for_each(|folder| check(folder, root))?;
        Ok(Self(folders))
    }

    /// Resolves the folders in the bundle in `root`, a path without links, as they are now.
    pub(crate) fn bundle_root<'a>(&self, root: &'a Path) -> BundleRoot<'a> {
        BundleRoot { root, resolved: self.0.iter().flat_map(|folder| resolve(folder, root)).collect() }
    }

    /// Returns the first of the folders that exists in the bundle in `root`. A link counts, wherever it leads.
    #[cfg(any(test, feature = "signatures"))]
    pub(crate) fn existing(&self, root: &Path) -> Option<&Path> {
        self.0.iter().find(|folder| root.join(folder).symlink_metadata().is_ok()).map(PathBuf::as_path)
    }

    /// Returns the folder that contains `file`, in the bundle in `root`, by the file's path as written or with its
    /// links followed.
    pub(crate) fn folder_of(&self, file: &Path, root: &Path) -> Option<&Path> {
        if self.0.is_empty() {
            return None; // without following links
        }
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let named = root.join(file);
        let real = named.canonicalize().unwrap_or_else(|_| named.clone());
        let has_file = |folder: &&PathBuf| {
            let resolved = resolve(folder, &root);
            resolved.iter().any(|path| named.starts_with(path) || real.starts_with(path))
        };
        self.0.iter().find(has_file).map(PathBuf::as_path)
    }
}

impl BundleRoot<'_> {
    /// Returns whether `path`, which has no links on its way, is one of the folders, or lies in one.
    pub(crate) fn is_shared(&self, path: &Path) -> bool {
        self.resolved.iter().any(|folder| path.starts_with(folder))
    }
}

/// Returns three paths of a folder: with the links on the way to it followed, with a link in its own position followed
/// too, and as written. A target outside of the bundle is left out, as no walk leaves the bundle. So is the bundle's
/// directory: a link to it, such as `all -> .`, must not leave out the whole bundle.
fn resolve(folder: &Path, root: &Path) -> [PathBuf; 3] {
    let named = root.join(folder);
    let beside = named.parent().and_then(|parent| Some(parent.canonicalize().ok()?.join(named.file_name()?)));
    let real = named.canonicalize().ok().filter(|real| real != root && real.starts_with(root));
    [beside.unwrap_or_else(|| named.clone()), real.unwrap_or_else(|| named.clone()), named]
}

/// Refuses a path that is not that of a folder in the bundle.
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
