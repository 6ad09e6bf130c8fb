//! Renaming and removing below a folder that is watched.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// How long a file is open at most, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Renames as `fs::rename` does. On Windows nothing is renamed while a file in it is open, or the file that it takes the place
/// of. The watcher opens files for a moment when they have changed, so this is tried again, as by an installer.
///
/// # Errors
///
/// Returns the error of the last try.
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    unless_in_use(|| fs::rename(&from, &to))
}

/// Removes a folder with all that is in it. On Windows, tries again while something in the folder is open, as [`rename`] does.
///
/// # Errors
///
/// Returns the error of the last try.
pub fn remove_dir_all(folder: impl AsRef<Path>) -> io::Result<()> {
    unless_in_use(|| fs::remove_dir_all(&folder))
}

fn unless_in_use(change: impl Fn() -> io::Result<()>) -> io::Result<()> {
    let start = Instant::now();
    loop {
        let changed = change();
        if !cfg!(windows) || !changed.as_ref().is_err_and(is_in_use) || start.elapsed() > PATIENCE {
            return changed;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Returns whether Windows says that a file is open: *Access denied*, or *Sharing violation*.
fn is_in_use(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(5 | 32))
}
