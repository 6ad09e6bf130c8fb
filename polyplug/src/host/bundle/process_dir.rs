//! The directory of a process, in which its private copies of bundles lie.
//!
//! Each process has a directory of its own, with a locked file in it. If that lock is free the process has died, and
//! the next process removes the directory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::file::absolute;

/// Makes a directory for one copy.
pub(crate) fn fresh_directory() -> Result<PathBuf, TemporaryError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut home = PROCESS_DIR.lock().unwrap_or_else(PoisonError::into_inner);
    if home.as_ref().is_none_or(|home| home.process != std::process::id()) {
        *home = Some(ProcessDir::new(&temporary())?);
    }
    let home = &home.as_ref().expect("made just now").path;
    let path = home.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
    fs::create_dir(&path).map_err(TemporaryError::at(&path))?;
    Ok(path)
}

/// The variable that names the directory for temporary files.
const VARIABLE: &str = if cfg!(windows) { "TMP" } else { "TMPDIR" };

/// The failure to use the directory for temporary files.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} cannot be written: {source}: free space there, or let the environment variable {VARIABLE} name a folder in which \
     the host may write (temporary files go to {} now)",
    .path.display(), temporary().display()
)]
pub(crate) struct TemporaryError {
    path: PathBuf,
    source: io::Error,
}

impl TemporaryError {
    /// Returns the function that makes the error of an operation on `path`.
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self { path: path.clone(), source }
    }
}

/// Returns the directory for temporary files. The variable may be empty, or relative to a working directory that the
/// program changes later.
fn temporary() -> PathBuf {
    let named = std::env::temp_dir();
    let named = if named.as_os_str().is_empty() { PathBuf::from("/tmp") } else { named };
    absolute(&named).unwrap_or(named)
}

/// The directory of this process.
struct ProcessDir {
    path: PathBuf,
    /// The process that made the directory. A child that was forked has a directory of its own.
    process: u32,
    /// The lock file, locked for as long as the process runs.
    _lock: File,
}

static PROCESS_DIR: Mutex<Option<ProcessDir>> = Mutex::new(None);

const LOCK: &str = "lock";

impl ProcessDir {
    fn new(temporary: &Path) -> Result<Self, TemporaryError> {
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let process = std::process::id();
        let name = format!("{process}-{:x}", started.as_nanos());
        let (all, path) = Self::place(temporary, &name)?;
        let lock = locked_file(&path).map_err(TemporaryError::at(&path))?;
        sweep(&all);
        Ok(Self { path, process, _lock: lock })
    }

    /// Makes the directory `name` in a directory for all processes of this user. Several users may share the directory
    /// for temporary files, and the owner of the directory in between can exchange its contents.
    fn place(temporary: &Path, name: &str) -> Result<(PathBuf, PathBuf), TemporaryError> {
        const ALL: &str = "polyplug-bundles";
        fs::create_dir_all(temporary).map_err(TemporaryError::at(temporary))?;
        let candidates = std::iter::once(ALL.to_owned()).chain((1..100).map(|number| format!("{ALL}-{number}")));
        let mut refused = None;
        for all in candidates.map(|candidate| temporary.join(candidate)) {
            match create_private(&all) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(TemporaryError::at(&all)(error));
                }
                _ => {}
            }
            let path = all.join(name);
            let failed = TemporaryError::at(&path);
            match create_private(&path) {
                Ok(()) if is_ours_alone(&all, &path).map_err(&failed)? => return Ok((all, path)),
                Ok(()) => fs::remove_dir(&path).map_err(failed)?,
                Err(error) => refused = Some(failed(error)),
            }
        }
        let everybody = || TemporaryError::at(temporary)(io::Error::other("every user may write to the folders in it"));
        Err(refused.unwrap_or_else(everybody))
    }
}

/// Makes the lock file of a process. It gets its name once it is locked: an unlocked file of this name belongs to a
/// process that died.
fn locked_file(directory: &Path) -> io::Result<File> {
    let unnamed = directory.join("locking");
    let lock = File::create_new(&unnamed)?;
    lock.lock()?;
    fs::rename(unnamed, directory.join(LOCK))?;
    Ok(lock)
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
        let has_died = lock.try_lock().is_ok();
        // On Windows the name of a file that is open keeps its folder. Nobody but another sweep uses the folder of a
        // process that has died.
        drop(lock);
        if has_died {
            let _ = fs::remove_dir_all(home.path());
        }
    }
}

#[cfg(all(test, not(miri)))] // Miri shows no files
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_has_left_is_removed_whole() {
        let all = tempfile::tempdir().unwrap();
        let [dead, alive, starting] = ["dead", "alive", "starting"].map(|name| all.path().join(name));
        for home in [&dead, &alive, &starting] {
            fs::create_dir(home).unwrap();
        }
        fs::create_dir(dead.join("0")).unwrap();
        fs::write(dead.join("0/plugin"), "code").unwrap();
        drop(locked_file(&dead).unwrap());
        let lock = locked_file(&alive).unwrap();
        sweep(all.path());
        assert_eq!([&dead, &alive, &starting].map(|home| home.exists()), [false, true, true]);
        drop(lock);
    }

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

    #[test]
    fn a_place_that_cannot_be_used_is_named() {
        let temporary = tempfile::tempdir().unwrap();
        let file = temporary.path().join("file");
        fs::write(&file, "").unwrap();
        for place in [&file, &file.join("below")] {
            let error = ProcessDir::new(place).err().unwrap().to_string();
            for part in [&*place.to_string_lossy(), VARIABLE, "cannot be written"] {
                assert!(error.contains(part), "{part}: {error}");
            }
        }
    }
}
