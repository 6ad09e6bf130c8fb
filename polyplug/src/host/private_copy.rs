//! A private copy of a bundle's directory.
//!
//! The linker gives back the image it already has for a path or file it knows, and an artifact that is overwritten in
//! place changes under the feet of the code that runs. So with hot reload on, each version runs from files that nobody
//! else knows. They stay for as long as the version does, so that debuggers and backtraces find their symbols.
//!
//! Each process has a directory of its own with a lock on a file in it. What a process that died left behind is
//! recognised by its lock being free, and removed by the next one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::error::{LoaderError, RuntimeError};
use super::loader::{ManifestData, Module};

/// How deep the directories of a bundle may nest.
const DEPTH_LIMIT: usize = 32;

/// The copy; removed when dropped.
pub(super) struct PrivateCopy {
    path: PathBuf,
}

impl PrivateCopy {
    /// Copies the bundle of `manifest`.
    pub(super) fn make(manifest: &ManifestData) -> Result<Self, RuntimeError> {
        let failed = |error: io::Error| LoaderError::Failed {
            bundle: manifest.name.clone(),
            reason: format!("no private copy of {} could be made: {error}", manifest.path.display()),
        };
        let path = fresh_directory().map_err(failed)?;
        let copy = Self { path };
        let root = manifest.path.canonicalize().map_err(failed)?;
        copy_directory(&root, &root, &copy.path, 0).map_err(failed)?;
        Ok(copy)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Module for PrivateCopy {
    fn close(self: Box<Self>) -> Option<String> {
        None // dropping removes it
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            // The next process removes it.
            tracing::warn!(path = %self.path.display(), %error, "a private copy could not be removed");
        }
    }
}

/// Copies files and directories; a link is followed if it stays within the bundle. Never a hard link: that would be
/// the same file.
fn copy_directory(root: &Path, from: &Path, to: &Path, depth: usize) -> io::Result<()> {
    if depth > DEPTH_LIMIT {
        return Err(io::Error::other(format!("{} is nested too deeply", from.display())));
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            let real = source.canonicalize()?;
            if !real.starts_with(root) {
                return Err(io::Error::other(format!("{} leads out of the bundle", source.display())));
            }
            if real.is_file() {
                fs::copy(real, target)?;
            }
        } else if kind.is_dir() {
            fs::create_dir(&target)?;
            copy_directory(root, &source, &target, depth + 1)?;
        } else if kind.is_file() {
            fs::copy(source, target)?;
        }
    }
    Ok(())
}

/// A directory that nobody else uses.
fn fresh_directory() -> io::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut home = HOME.lock().unwrap_or_else(PoisonError::into_inner);
    if home.is_none() {
        *home = Some(Home::new()?);
    }
    let home = &home.as_ref().expect("made just now").path;
    let path = home.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
    fs::create_dir(&path)?;
    Ok(path)
}

/// This process's directory.
struct Home {
    path: PathBuf,
    /// Locked for as long as the process lives.
    _lock: File,
}

static HOME: Mutex<Option<Home>> = Mutex::new(None);

const LOCK: &str = "lock";

impl Home {
    fn new() -> io::Result<Self> {
        let all = std::env::temp_dir().join("polyplug-bundles");
        fs::create_dir_all(&all)?;
        sweep(&all);
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let path = all.join(format!("{}-{:x}", std::process::id(), started.as_nanos()));
        create_private(&path)?;
        let lock = File::create_new(path.join(LOCK))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }
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

/// Removes what processes that died left behind. What cannot be removed is left: it may be another user's.
fn sweep(all: &Path) {
    let Ok(entries) = fs::read_dir(all) else { return };
    for home in entries.flatten() {
        // A directory without a lock file may be just being made.
        let Ok(lock) = File::open(home.path().join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(home.path());
        }
    }
}
