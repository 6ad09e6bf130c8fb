//! Private copies of bundles' directories.
//!
//! The dynamic linker returns the image that it already has for a known path or file, and an artifact that is
//! overwritten in place changes under code that runs. Files in a bundle's directory may also change after the signature
//! was checked. So with hot reload on, or with signatures checked, each version runs from a copy that no other user can
//! change. The copy is kept for as long as the version, so that debuggers and backtraces find their symbols.
//!
//! Each process has a directory of its own, with a locked file in it. If that lock is free the process has died, and
//! the next process removes the directory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::fingerprint::{DEPTH_LIMIT, Fingerprint, is_cache, is_in_cache};
use super::manifest::ManifestData;
use super::shared_dirs::{BundleRoot, SharedDirs};
use crate::host::error::loader::LoaderError;
use crate::host::error::runtime::RuntimeError;

/// A private copy of a bundle's directory, removed when dropped.
pub(crate) struct PrivateCopy {
    path: PathBuf,
    fingerprint: Fingerprint,
    shared_dirs: SharedDirs,
}

impl PrivateCopy {
    /// Copies the bundle of `manifest` without its `shared_dirs`.
    pub(crate) fn make(manifest: &ManifestData, shared_dirs: SharedDirs) -> Result<Self, RuntimeError> {
        let failed = |error: io::Error| LoaderError::Failed {
            bundle: manifest.name.clone(),
            reason: format!("no private copy of {} could be made: {error}", manifest.path.display()),
        };
        let root = manifest.path.canonicalize().map_err(failed)?;
        let artifact = Path::new(&manifest.file);
        let fingerprint = telling_fingerprint(&root, artifact, &shared_dirs);
        let copy = Self { path: fresh_directory().map_err(failed)?, fingerprint, shared_dirs };
        let bundle_root = copy.shared_dirs.bundle_root(&root);
        copy_directory(&bundle_root, &mut vec![root.clone()], &copy.path).map_err(failed)?;
        copy_artifact(&root, artifact, &copy.path).map_err(failed)?;
        if Fingerprint::take(&root, artifact, &copy.shared_dirs, |_| ()) != copy.fingerprint {
            return Err(
                failed(io::Error::other("its files changed meanwhile: try again when they are complete")).into()
            );
        }
        Ok(copy)
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
        if let Err(error) = fs::remove_dir_all(&self.path) {
            // The next process removes the copy.
            tracing::warn!(path = %self.path.display(), %error, "a private copy could not be removed");
        }
    }
}

/// The time within which two changes of a file may look like one, as the times of files are coarser than clocks.
const COARSENESS: Duration = Duration::from_millis(20);

/// Takes the fingerprint of a bundle's files once they have been unchanged for so long that another change would show.
/// Gives up after some tries: files that are written all the time are noticed when the copy is compared.
fn telling_fingerprint(root: &Path, artifact: &Path, shared_dirs: &SharedDirs) -> Fingerprint {
    let mut tries = 5;
    loop {
        let looked = SystemTime::now();
        let fingerprint = Fingerprint::take(root, artifact, shared_dirs, |_| ());
        tries -= 1;
        match fingerprint.latest().map(|latest| looked.duration_since(latest)) {
            Some(Ok(age)) if age < COARSENESS && tries > 0 => std::thread::sleep(COARSENESS - age),
            // Changed after the clock was read. A greater difference means that the clock of the files is wrong.
            Some(Err(ahead)) if ahead.duration() < COARSENESS && tries > 0 => std::thread::sleep(COARSENESS),
            _ => return fingerprint,
        }
    }
}

/// Copies the contents of the last directory of `within`, each of which contains the next one. A link within the bundle
/// is replaced by a copy of its target, never by a hard link, which would be the same file. Caches are left out, as
/// they may be large and change while they are copied. Folders that are used in place are left out too.
fn copy_directory(bundle_root: &BundleRoot<'_>, within: &mut Vec<PathBuf>, to: &Path) -> io::Result<()> {
    let Some(from) = within.last() else { return Ok(()) };
    if within.len() > DEPTH_LIMIT + 1 {
        return Err(io::Error::other(format!("{} is nested too deeply", from.display())));
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if bundle_root.is_shared(&source) {
            continue;
        }
        if kind.is_symlink() {
            let real = follow(bundle_root.root, &source)?;
            if real.is_file() {
                fs::copy(real, target)?;
            } else if real.is_dir() && !is_in_cache(bundle_root.root, &real) && !bundle_root.is_shared(&real) {
                if within.contains(&real) {
                    let way = "is a link to a folder that it lies in, which has no end: remove it";
                    return Err(io::Error::other(format!("{} {way}", source.display())));
                }
                copy_below(bundle_root, within, real, &target)?;
            }
        } else if kind.is_dir() {
            if !is_cache(&source) {
                copy_below(bundle_root, within, source, &target)?;
            }
        } else if kind.is_file() {
            fs::copy(source, target)?;
        }
    }
    Ok(())
}

fn copy_below(bundle_root: &BundleRoot<'_>, within: &mut Vec<PathBuf>, from: PathBuf, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    within.push(from);
    copy_directory(bundle_root, within, to)?;
    within.pop();
    Ok(())
}

/// Returns the target of a link, which must lie in the bundle.
fn follow(root: &Path, link: &Path) -> io::Result<PathBuf> {
    let real = link.canonicalize().map_err(|error| {
        io::Error::new(error.kind(), format!("{} is a link that cannot be followed: {error}", link.display()))
    })?;
    if real.starts_with(root) {
        return Ok(real);
    }
    let way = "put what the link leads to in its place";
    Err(io::Error::other(format!("{} leads out of the bundle: {way}", link.display())))
}

/// Copies the artifact if it lies in a cache, as an artifact that cargo builds does.
fn copy_artifact(root: &Path, artifact: &Path, to: &Path) -> io::Result<()> {
    let target = to.join(artifact);
    if target.exists() {
        return Ok(());
    }
    let real = follow(root, &root.join(artifact))?;
    if let Some(directory) = target.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::copy(real, target).map(|_| ())
}

/// Makes a directory for one copy.
fn fresh_directory() -> io::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut home = PROCESS_DIR.lock().unwrap_or_else(PoisonError::into_inner);
    if home.is_none() {
        *home = Some(ProcessDir::new()?);
    }
    let home = &home.as_ref().expect("made just now").path;
    let path = home.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
    fs::create_dir(&path)?;
    Ok(path)
}

/// The directory of this process.
struct ProcessDir {
    path: PathBuf,
    /// The lock file, locked for as long as the process runs.
    _lock: File,
}

static PROCESS_DIR: Mutex<Option<ProcessDir>> = Mutex::new(None);

const LOCK: &str = "lock";

impl ProcessDir {
    fn new() -> io::Result<Self> {
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let name = format!("{}-{:x}", std::process::id(), started.as_nanos());
        let (all, path) = Self::place(&std::env::temp_dir(), &name)?;
        // The file gets its name once it is locked: an unlocked file of this name belongs to a process that died.
        let unnamed = path.join("locking");
        let lock = File::create_new(&unnamed)?;
        lock.lock()?;
        fs::rename(unnamed, path.join(LOCK))?;
        sweep(&all);
        Ok(Self { path, _lock: lock })
    }

    /// Makes the directory `name` in a directory for all processes of this user. Several users may share the directory
    /// for temporary files, and the owner of the directory in between can exchange its contents.
    fn place(temporary: &Path, name: &str) -> io::Result<(PathBuf, PathBuf)> {
        const ALL: &str = "polyplug-bundles";
        fs::create_dir_all(temporary)?;
        let candidates = std::iter::once(ALL.to_owned()).chain((1..100).map(|number| format!("{ALL}-{number}")));
        let mut refused = None;
        for all in candidates.map(|candidate| temporary.join(candidate)) {
            match create_private(&all) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            let path = all.join(name);
            match create_private(&path) {
                Ok(()) if is_ours_alone(&all, &path)? => return Ok((all, path)),
                Ok(()) => fs::remove_dir(&path)?,
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| io::Error::other(format!("everybody may write to {}", temporary.display()))))
    }
}

/// Returns whether only this user, who has just made `own` in `directory`, can change the contents of `directory`.
#[cfg(unix)]
fn is_ours_alone(directory: &Path, own: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let found = directory.symlink_metadata()?;
    Ok(found.is_dir() && found.uid() == own.symlink_metadata()?.uid() && found.mode() & 0o022 == 0)
}

#[cfg(not(unix))]
fn is_ours_alone(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(true) // each user has a directory for temporary files of their own there
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Removes the directories of processes that died. Skips those that cannot be removed, which may be another user's.
fn sweep(all: &Path) {
    let Ok(entries) = fs::read_dir(all) else { return };
    for home in entries.flatten() {
        // A process may be just making a directory that has no lock file yet.
        let Ok(lock) = File::open(home.path().join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(home.path());
        }
    }
}

#[cfg(all(test, not(miri)))] // Miri shows no files
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_place_that_others_can_change_is_not_used() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let temporary = tempfile::tempdir().unwrap();
        let inside = |name: &str| temporary.path().join(name);
        fs::create_dir(inside("polyplug-bundles")).unwrap();
        fs::set_permissions(inside("polyplug-bundles"), fs::Permissions::from_mode(0o777)).unwrap();
        symlink(inside("polyplug-bundles"), inside("polyplug-bundles-1")).unwrap();
        fs::write(inside("polyplug-bundles-2"), "").unwrap();
        let (all, path) = ProcessDir::place(temporary.path(), "own").unwrap();
        assert_eq!((&all, &path), (&inside("polyplug-bundles-3"), &all.join("own")));
        for private in [all, path] {
            assert_eq!(private.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
        assert_eq!(fs::read_dir(inside("polyplug-bundles")).unwrap().count(), 0, "nothing is left there");
        assert_eq!(ProcessDir::place(temporary.path(), "other").unwrap().0, inside("polyplug-bundles-3"));
    }

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
        PrivateCopy::make(manifest, SharedDirs::default())
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
        for directory in ["lib/inner", "lib/same", "lib64/inner", "lib64/same", "lib32/inner", "lib32/same"] {
            let file = copy.path().join(directory).join("helper.lua");
            assert_eq!(fs::read_to_string(file).unwrap(), "lib/inner/helper.lua", "{directory}");
            assert!(!copy.path().join(directory).is_symlink());
        }
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
            ("nothing", "lib/nowhere", "is a link that cannot be followed"),
            ("circle", "circle", "is a link that cannot be followed"),
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
        let copy = PrivateCopy::make(&manifest, SharedDirs::new(folders, folder.path()).unwrap()).unwrap();
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
        let copy = PrivateCopy::make(&manifest, SharedDirs::new(folders, folder.path()).unwrap()).unwrap();
        for path in ["env", "elsewhere", "lib"] {
            assert!(copy.path().join(path).symlink_metadata().is_err(), "{path}");
        }
    }

    #[test]
    fn a_change_during_the_copy_is_noticed() {
        use std::io::Write as _;
        use std::sync::atomic::AtomicBool;

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
