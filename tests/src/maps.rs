//! The files that are mapped into this process.

use std::path::Path;
use std::time::{Duration, Instant};

/// Returns the files in `folder`, or `folder` itself, that are mapped into this process. Empty where the system does
/// not list them.
#[must_use]
pub fn mapped_below(folder: &Path) -> Vec<String> {
    let Ok(folder) = folder.canonicalize() else { return Vec::new() };
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    // The system adds ` (deleted)` to the path of a file that was deleted or replaced.
    let mut files: Vec<String> = maps
        .lines()
        .filter_map(|line| line.find('/').map(|start| &line[start..]))
        .filter(|file| Path::new(file).starts_with(&folder))
        .map(str::to_owned)
        .collect();
    files.dedup();
    files
}

/// Waits until `condition` holds, and advances the collector meanwhile.
///
/// # Panics
///
/// If it does not hold after ten seconds.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "did not happen: {what}");
        polyplug::pin().flush();
        std::thread::sleep(Duration::from_millis(1));
    }
}
