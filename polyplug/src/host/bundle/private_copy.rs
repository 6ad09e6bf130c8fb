//! Private copies of bundles' directories.
//!
//! The dynamic linker returns the image that it already has for a known path or file, and an artifact that is
//! overwritten in place changes under code that runs. Files in a bundle's directory may also change after the signature
//! was checked. So with hot reload on, or with signatures checked, each version runs from a copy that no other user can
//! change. The copy is kept for as long as the version, so that debuggers and backtraces find their symbols.
//!
//! The copy is made of files that do not change meanwhile: see [`Original`].

use std::fs;
use std::path::{Path, PathBuf};

use super::copy_tree::{CopyError, copy_tree};
use super::fingerprint::Fingerprint;
use super::limits::BundleLimits;
use super::manifest::ManifestData;
use super::original::{LOOKS, Original};
#[cfg(feature = "packs")]
use super::pack::Pack;
use super::process_dir::fresh_directory;
use super::shared_dirs::SharedDirs;
use crate::host::abi::log::report;
use crate::host::error::loader::LoaderError;
use crate::host::error::runtime::RuntimeError;

/// A private copy of a bundle's directory, removed when dropped by the process that made it.
pub(crate) struct PrivateCopy {
    path: PathBuf,
    /// The process that made the copy. A child that was forked has this value too, and its parent runs from the copy.
    process: u32,
    fingerprint: Fingerprint,
    shared_dirs: SharedDirs,
}

impl PrivateCopy {
    /// Copies the bundle of `manifest` without its `shared_dirs`. Copies nothing of a bundle that exceeds `limits`.
    pub(crate) fn make(
        manifest: &ManifestData,
        shared_dirs: SharedDirs,
        limits: BundleLimits,
    ) -> Result<Self, RuntimeError> {
        let failed = |error: CopyError| LoaderError::Failed {
            bundle: manifest.name.clone(),
            reason: format!("no private copy of {} could be made: {error}", manifest.path.display()),
        };
        let root = manifest.path.canonicalize().map_err(|error| failed(CopyError::Unreadable(error)))?;
        let bundle = Original { root: &root, artifact: Path::new(&manifest.file), shared_dirs: &shared_dirs, limits };
        let (path, fingerprint) = bundle.copy(&manifest.name).map_err(failed)?;
        Ok(Self { path: path.keep(), process: std::process::id(), fingerprint, shared_dirs })
    }

    /// Unpacks a pack. `fingerprint` is that of its file.
    #[cfg(feature = "packs")]
    pub(crate) fn unpack(pack: &Pack, bundle: &str, fingerprint: Fingerprint) -> Result<Self, RuntimeError> {
        let failed = |error: CopyError| LoaderError::Failed {
            bundle: bundle.to_owned(),
            reason: format!("{} could not be unpacked: {error}", pack.path().display()),
        };
        let path = unpack(pack).map_err(failed)?.keep();
        Ok(Self { path, process: std::process::id(), fingerprint, shared_dirs: SharedDirs::default() })
    }

    /// Returns the fingerprint of the files that were copied.
    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Returns the folders that the copy leaves out.
    pub(crate) fn shared_dirs(&self) -> &SharedDirs {
        &self.shared_dirs
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            remove(&self.path);
        }
    }
}

fn remove(copy: &Path) {
    if let Err(error) = fs::remove_dir_all(copy) {
        // The next process removes the copy.
        report!(WARN, "the private copy {} could not be removed: {error}", copy.display());
    }
}

/// Unpacks the files of a pack into a directory of their own.
#[cfg(feature = "packs")]
fn unpack(pack: &Pack) -> Result<Unfinished, CopyError> {
    use std::io::Write as _;

    use super::process_dir::TemporaryError;

    let copy = Unfinished(fresh_directory()?);
    for (name, size) in pack.files() {
        let file = copy.0.join(name);
        let bytes = pack.read(Path::new(name), "a file of a pack", size)?;
        let written = file.parent().map_or(Ok(()), fs::create_dir_all);
        let written = written.and_then(|()| fs::File::create_new(&file)?.write_all(&bytes));
        written.map_err(TemporaryError::at(&file))?;
    }
    Ok(copy)
}

impl Original<'_> {
    /// Copies the bundle once its files have settled, and anew if they change meanwhile. Returns the copy, and the
    /// fingerprint of the files.
    fn copy(&self, name: &str) -> Result<(Unfinished, Fingerprint), CopyError> {
        let mut looks = LOOKS;
        loop {
            let (tree, fingerprint) = self.settled(&mut looks)?;
            self.check(&tree, name)?;
            let copy = Unfinished(fresh_directory()?);
            let copied = copy_tree(&tree, &copy.0).and_then(|()| match self.look() {
                (_, after) if after == fingerprint => Ok(()),
                (_, after) => {
                    Err(CopyError::Changed(self.root.join(after.latest().map_or(Path::new(""), |(path, _)| path))))
                }
            });
            match copied {
                Ok(()) => return Ok((copy, fingerprint)),
                Err(CopyError::Changed(_)) if looks > 0 => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A copy that is removed when dropped, unless it is kept.
struct Unfinished(PathBuf);

impl Unfinished {
    fn keep(self) -> PathBuf {
        let mut this = std::mem::ManuallyDrop::new(self);
        std::mem::take(&mut this.0)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

#[cfg(all(test, not(miri)))] // Miri shows no files
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// Makes the manifest of a bundle in `root` whose artifact is `file`.
    fn bundle(root: &Path, file: &str) -> ManifestData {
        let text = format!("name = \"copied\"\nversion = \"1.0.0\"\nloader = \"native\"\nfile = {file:?}\n");
        fs::write(root.join("manifest.toml"), text).unwrap();
        let mut manifest = ManifestData::read(root).unwrap();
        manifest.find_artifact().unwrap();
        manifest
    }

    /// Copies all files of a bundle.
    fn copy(manifest: &ManifestData) -> Result<PrivateCopy, RuntimeError> {
        PrivateCopy::make(manifest, SharedDirs::default(), BundleLimits::default())
    }

    fn write(root: &Path, file: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }

    #[test]
    fn a_copy_has_everything_and_goes_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["plugin.so", "lib/helper.lua", ".hidden"];
        files.iter().for_each(|file| write(folder.path(), file));
        let copy = copy(&bundle(folder.path(), "plugin.so")).unwrap();
        for file in files {
            assert_eq!(fs::read_to_string(copy.path().join(file)).unwrap(), file);
        }
        let path = copy.path().to_owned();
        drop(copy);
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn what_links_lead_to_is_copied() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for file in ["plugin.so", "lib/inner/helper.lua", "target/CACHEDIR.TAG", "target/debug/deps/object"] {
            write(root, file);
        }
        for (leads_to, link) in [
            ("lib", "lib64"),
            ("lib64", "lib32"),
            ("inner", "lib/same"),
            ("lib/inner/helper.lua", "one"),
            ("target/debug", "built"),
        ] {
            symlink(leads_to, root.join(link)).unwrap();
        }
        let copy = copy(&bundle(root, "plugin.so")).unwrap();
        let real = copy.path().canonicalize().unwrap();
        for directory in ["lib/inner", "lib/same", "lib64/inner", "lib64/same", "lib32/inner", "lib32/same"] {
            let file = real.join(directory).join("helper.lua");
            assert_eq!(fs::read_to_string(&file).unwrap(), "lib/inner/helper.lua", "{directory}");
            assert!(file.canonicalize().unwrap().starts_with(&real), "a link leads to a folder of the copy");
        }
        assert!(!copy.path().join("one").is_symlink(), "a file takes the place of a link to it");
        assert_eq!(fs::read_to_string(copy.path().join("one")).unwrap(), "lib/inner/helper.lua");
        assert!(!copy.path().join("built").exists(), "it is part of a cache");
    }

    #[cfg(unix)]
    #[test]
    fn links_that_cannot_be_copied_are_refused() {
        use std::os::unix::fs::symlink;

        let outside = tempfile::tempdir().unwrap();
        let leads_out = outside.path().to_str().unwrap();
        for (leads_to, link, reason) in [
            (".", "itself", "is a link to a folder that it lies in"),
            ("..", "lib/up", "is a link to a folder that it lies in"),
            ("../lib", "lib/round", "is a link to a folder that it lies in"),
            (leads_out, "out", "leads out of the bundle: put what the link leads to in its place"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            ["plugin.so", "lib/helper.lua"].iter().for_each(|file| write(folder.path(), file));
            let manifest = bundle(folder.path(), "plugin.so");
            symlink(leads_to, folder.path().join(link)).unwrap();
            let error = copy(&manifest).err().unwrap().to_string();
            let root = folder.path().canonicalize().unwrap();
            for part in ["`copied`", &format!("{} {reason}", root.join(link).display())] {
                assert!(error.contains(part), "{part} is in: {error}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_between_folders_multiply_nothing() {
        use std::os::unix::fs::symlink;

        use crate::host::bundle::tree::Tree;

        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for file in ["plugin.so", "0/file"] {
            write(root, file);
        }
        // By its links the last folder has 2^40 files.
        for number in 1..=40 {
            fs::create_dir(root.join(number.to_string())).unwrap();
            for link in ["one", "other"] {
                symlink(format!("../{}", number - 1), root.join(number.to_string()).join(link)).unwrap();
            }
        }
        let manifest = bundle(root, "plugin.so");
        let copy = copy(&manifest).unwrap();
        let deep: PathBuf = std::iter::once("30").chain(["one", "other"].into_iter().cycle().take(30)).collect();
        assert_eq!(fs::read_to_string(copy.path().join(deep).join("file")).unwrap(), "0/file");
        let size =
            |root: &Path| Tree::take(root, Path::new(""), &SharedDirs::default(), BundleLimits::default()).folders;
        assert_eq!(size(&copy.path().canonicalize().unwrap()).len(), 42, "each folder once");

        symlink("../40", root.join("0/round")).unwrap();
        let error = self::copy(&manifest).err().unwrap().to_string();
        assert!(error.contains("is a link to a folder that it lies in, which has no end"), "{error}");
    }

    #[test]
    fn a_bundle_that_is_too_large_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["plugin.so", "more/data"] {
            write(folder.path(), file);
        }
        let manifest = bundle(folder.path(), "plugin.so");
        let limited = |limits| PrivateCopy::make(&manifest, SharedDirs::default(), limits).map(drop);
        // The manifest, the artifact, a folder and a file in it.
        limited(BundleLimits::default().entries(4)).unwrap();
        let error = limited(BundleLimits::default().entries(3)).unwrap_err().to_string();
        assert!(error.contains("more than 3 files and folders") && error.contains("bundle_limits"), "{error}");
        File::create(folder.path().join("more/data")).unwrap().set_len(1 << 40).unwrap(); // sparse
        let error = limited(BundleLimits::default()).unwrap_err().to_string();
        let largest = format!("1099511627776 of them in {}", Path::new("more").join("data").display());
        for part in ["`copied`", &largest, "at most 1073741824", "bundle_limits"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn files_of_editors_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let editors = [".#main.lua", "#main.lua#", "main.lua~", ".main.lua.swp", "4913", ".git/index"];
        for file in editors.into_iter().chain(["plugin.so", ".env"]) {
            write(folder.path(), file);
        }
        let copy = copy(&bundle(folder.path(), "plugin.so")).unwrap();
        for file in editors {
            assert!(copy.path().join(file).symlink_metadata().is_err(), "{file}");
        }
        assert!(copy.path().join(".env").exists());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_left_out() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "plugin.so");
        for (leads_to, link) in [("nothing", "nowhere"), ("circle", "circle"), ("pipe", "to-pipe")] {
            symlink(leads_to, folder.path().join(link)).unwrap();
        }
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
        assert!(made.unwrap().success());
        let copy = copy(&bundle(folder.path(), "plugin.so")).unwrap();
        assert!(copy.path().join("plugin.so").exists());
        for name in ["nowhere", "circle", "pipe", "to-pipe"] {
            assert!(copy.path().join(name).symlink_metadata().is_err(), "{name}");
        }
    }

    #[test]
    fn a_file_from_the_future_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "plugin.so");
        let manifest = bundle(folder.path(), "plugin.so");
        let file = File::options().write(true).open(folder.path().join("plugin.so")).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
        assert!(copy(&manifest).is_ok());
    }

    #[test]
    fn of_a_cache_only_the_artifact_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["target/CACHEDIR.TAG", "target/debug/plugin.so", "target/debug/deps/object"] {
            write(folder.path(), file);
        }
        let copy = copy(&bundle(folder.path(), "target/debug/plugin.so")).unwrap();
        assert!(copy.path().join("target/debug/plugin.so").is_file());
        assert!(!copy.path().join("target/debug/deps").exists());
    }

    #[test]
    fn what_is_used_where_it_lies_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["plugin.so", "env/bin/python", "lib/env/package", "lib/other", "environment/file"] {
            write(folder.path(), file);
        }
        let manifest = bundle(folder.path(), "plugin.so");
        let folders = ["env", "lib/env", "absent"].map(PathBuf::from).into();
        let copy =
            PrivateCopy::make(&manifest, SharedDirs::new(folders, folder.path()).unwrap(), BundleLimits::default())
                .unwrap();
        for (path, expected) in
            [("env", false), ("lib/env", false), ("absent", false), ("lib/other", true), ("environment/file", true)]
        {
            assert_eq!(copy.path().join(path).exists(), expected, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_used_where_it_lies_may_have_links_that_lead_out() {
        use std::os::unix::fs::symlink;

        let outside = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        for file in ["plugin.so", "env/lib/package"] {
            write(folder.path(), file);
        }
        symlink(outside.path(), folder.path().join("env/out")).unwrap();
        symlink(outside.path(), folder.path().join("elsewhere")).unwrap();
        symlink("env/lib", folder.path().join("lib")).unwrap();
        let manifest = bundle(folder.path(), "plugin.so");
        let folders = ["env", "elsewhere"].map(PathBuf::from).into();
        let copy =
            PrivateCopy::make(&manifest, SharedDirs::new(folders, folder.path()).unwrap(), BundleLimits::default())
                .unwrap();
        for path in ["env", "elsewhere", "lib"] {
            assert!(copy.path().join(path).symlink_metadata().is_err(), "{path}");
        }
    }

    #[test]
    fn a_change_during_the_copy_is_noticed() {
        use std::io::Write as _;
        use std::sync::atomic::{AtomicBool, Ordering};

        let folder = tempfile::tempdir().unwrap();
        for file in ["plugin.so", "growing"] {
            write(folder.path(), file);
        }
        let manifest = bundle(folder.path(), "plugin.so");
        let done = AtomicBool::new(false);
        let error = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut file = File::options().append(true).open(folder.path().join("growing")).unwrap();
                while !done.load(Ordering::Relaxed) {
                    file.write_all(b"x").unwrap();
                }
            });
            // The other thread may be held up for as long as a copy takes.
            let error = (0..1000).find_map(|_| copy(&manifest).err());
            done.store(true, Ordering::Relaxed);
            error.map(|error| error.to_string()).unwrap_or_default()
        });
        assert!(error.contains("`copied`") && error.contains("its files changed meanwhile"), "{error}");
    }
}
