//! What this process occupies, for tests that expect it to stay flat.

use crate::rounds;

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

/// What may come and go between two measurements though nothing leaks: an allocator's pages, a collector's segments.
#[derive(Debug, Clone, Copy)]
pub struct Slack {
    /// The resident memory in KiB.
    pub kib: u64,
    /// The number of mappings.
    pub mappings: usize,
}

impl Slack {
    /// The slack of an allocator that keeps a page here and there.
    pub const PAGES: Self = Self { kib: 512, mappings: 4 };
}

impl Footprint {
    /// Returns whether this is no more than `warm` was, apart from `slack`. With the environment variable
    /// `POLYPLUG_SANITIZED`, which the scripts of sanitizers set, memory and mappings are left out: a sanitizer never gives back
    /// what it keeps for each mapping that there ever was, and keeps what was freed.
    #[must_use]
    pub fn is_within(self, warm: Self, slack: Slack) -> bool {
        let memory = self.kib <= warm.kib + slack.kib && self.mappings <= warm.mappings + slack.mappings;
        let is_sanitized = std::env::var_os("POLYPLUG_SANITIZED").is_some();
        if is_sanitized {
            eprintln!("SKIPPED: memory and mappings are not compared, as POLYPLUG_SANITIZED is set");
        }
        (memory || is_sanitized) && self.files <= warm.files && self.threads <= warm.threads + 1
    }
}

/// Does `cycle` `cycles` times, after as many for a warm-up, and expects that nothing grows.
///
/// Heaps settle late on a busy machine, where what is retired waits for the threads that are to free it. So a series that
/// grows is followed by another, up to four in all: what leaks grows in each of them, what settles does not.
///
/// # Panics
///
/// Panics if every series grew by more than `slack`, or left more files or threads behind.
#[track_caller]
pub fn flat(what: &str, cycles: u32, slack: Slack, mut cycle: impl FnMut(u32)) {
    const STEPS: u32 = 10;
    let in_step = rounds(cycles) / STEPS;
    let mut done = 0;
    let mut several = Vec::new();
    for _ in 0..4 {
        let mut series = Vec::new();
        for _ in 0..STEPS {
            for _ in 0..in_step {
                cycle(done);
                done += 1;
            }
            series.push(footprint());
            println!("{what}, after {done:>8}: {:?}", series.last().expect("just measured"));
        }
        if series[9].is_within(series[3], slack) {
            return;
        }
        several.push(series);
    }
    panic!("{what} grows: {several:#?}");
}
