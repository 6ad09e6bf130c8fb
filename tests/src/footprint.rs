//! What this process occupies, for tests that expect it to stay flat.

/// The memory, mappings, files and threads of this process.
#[derive(Debug, Clone, Copy)]
pub struct Footprint {
    /// The resident memory in KiB.
    pub kib: u64,
    /// The number of mappings.
    pub mappings: usize,
    /// The number of open files.
    pub files: usize,
    /// The number of threads.
    pub threads: usize,
}

/// Returns what this process occupies now, from `/proc`.
///
/// # Panics
///
/// Panics if `/proc` cannot be read, as on systems other than Linux.
#[must_use]
pub fn footprint() -> Footprint {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let number = |key: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("Linux has it");
        line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
    };
    Footprint {
        kib: number("VmRSS:"),
        mappings: std::fs::read_to_string("/proc/self/maps").expect("Linux has it").lines().count(),
        files: std::fs::read_dir("/proc/self/fd").expect("Linux has it").count(),
        threads: usize::try_from(number("Threads:")).expect("a few"),
    }
}
