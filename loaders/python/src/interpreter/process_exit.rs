//! Work in Python at the exit of the process.

use std::panic::catch_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};

/// The time that an exit waits for the work. A thread of the host may hold the interpreter for ever.
const LIMIT: Duration = Duration::from_secs(5);

/// The time between two looks at whether the work is done.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// The work, and the process that has registered it, which is not that of a fork.
static WORK: OnceLock<(fn(), u32)> = OnceLock::new();

static IS_DONE: AtomicBool = AtomicBool::new(false);

/// Runs `work` when the process exits, on a thread that can attach. Called once, when the interpreter runs.
pub(super) fn register(work: fn()) {
    if WORK.set((work, std::process::id())).is_err() {
        return;
    }
    // SAFETY: the function is `extern "C"` and does not unwind. If the system refuses, nothing is called.
    let _is_full = unsafe { libc::atexit(at_exit) };
}

/// Runs the work, and waits for it for a limited time.
extern "C" fn at_exit() {
    let Some((work, _)) = WORK.get().filter(|(_, process)| *process == std::process::id()) else { return };
    let _has_panicked = catch_unwind(|| {
        // The exiting thread has none of its thread-locals any more, which attaching needs.
        let thread = Builder::new().name("polyplug-exit".to_owned()).spawn(|| {
            work();
            IS_DONE.store(true, Ordering::Release);
        });
        let deadline = Instant::now() + LIMIT;
        while thread.is_ok() && !IS_DONE.load(Ordering::Acquire) && Instant::now() < deadline {
            sleep(POLL_INTERVAL);
        }
    });
}
