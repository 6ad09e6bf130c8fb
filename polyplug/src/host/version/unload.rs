//! The functions that the code of a version registered for its unload. They run after the version's last call, before
//! the version's shared instances end and its modules are closed.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use polyplug_abi::LogLevel;

use super::reclaim::{Reclaimer, VersionResources};
use crate::guest::{catch, describe_panic};
use crate::host::abi::log::write_log;
use crate::host::waits::Task;

/// A function for the unload of a version. It passes the text of each failure to its argument.
pub(crate) type UnloadFunction = Box<dyn FnOnce(&dyn Fn(&str)) + Send + Sync>;

/// The functions for the unload of one version.
pub(crate) struct Unload {
    bundle: String,
    reclaimer: Reclaimer,
    /// The time that the functions have, all together.
    limit: Duration,
    functions: Vec<UnloadFunction>,
}

/// The progress of the thread that runs the functions.
enum Progress {
    Running,
    Finished,
    /// The functions run for longer than their limit. What is to be reclaimed afterwards, and the thread.
    Abandoned(VersionResources, JoinHandle<()>),
}

impl Unload {
    pub(crate) fn new(bundle: &str, reclaimer: &Reclaimer) -> Self {
        Self { bundle: bundle.to_owned(), reclaimer: reclaimer.clone(), limit: Duration::ZERO, functions: Vec::new() }
    }

    /// Adds a function. `limit` is the time that all functions have together.
    pub(crate) fn add(&mut self, limit: Duration, function: UnloadFunction) {
        self.limit = limit;
        self.functions.push(function);
    }

    /// Runs the functions, the last one first, then drops `rest`, which reclaims the version's code.
    ///
    /// The functions run on a thread of their own. If they run for longer than their limit, this thread goes on without
    /// them, and `rest` is reclaimed when they have returned.
    pub(crate) fn run_before(self, rest: VersionResources) {
        let Self { bundle, reclaimer, limit, functions } = self;
        let task = Task::new(format!("the unload of bundle `{bundle}`"));
        let awaiting = Task::awaiting(&task);
        let progress = Arc::new((Mutex::new(Progress::Running), Condvar::new()));
        let thread = std::thread::Builder::new().name("polyplug-unload".to_owned()).spawn({
            let (progress, bundle) = (Arc::clone(&progress), bundle.clone());
            move || {
                task.run(|| run_all(functions, &bundle));
                finish(&progress, &reclaimer);
            }
        });
        let thread = match thread {
            Ok(thread) => thread,
            Err(error) => {
                let text = format!("the functions are not run: the system has no more threads: {error}");
                return log(LogLevel::Error, &bundle, &text);
            }
        };
        let (state, changed) = &*progress;
        let waited = changed.wait_timeout_while(lock(state), limit, |state| matches!(state, Progress::Running));
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        drop(awaiting);
        if matches!(*state, Progress::Finished) {
            drop(state);
            // Until the thread has ended, destructors of a library's thread-locals may run on it and keep the library
            // mapped.
            let _ = thread.join();
            drop(rest);
            return;
        }
        *state = Progress::Abandoned(rest, thread);
        drop(state);
        let text =
            format!("the functions have not returned after {limit:?}: the bundle's code stays in memory until then");
        log(LogLevel::Warn, &bundle, &text);
    }
}

/// Runs the functions, the last one first. Failures are logged.
fn run_all(functions: Vec<UnloadFunction>, bundle: &str) {
    let report = |text: &str| log(LogLevel::Error, bundle, &format!("a function failed: {text}"));
    for function in functions.into_iter().rev() {
        if let Err(payload) = catch(|| function(&report)) {
            report(&describe_panic(payload));
        }
    }
}

/// Ends the thread's part. If nobody waits any more, has the rest reclaimed once the thread has ended.
fn finish(progress: &(Mutex<Progress>, Condvar), reclaimer: &Reclaimer) {
    let before = std::mem::replace(&mut *lock(&progress.0), Progress::Finished);
    progress.1.notify_all();
    if let Progress::Abandoned(rest, thread) = before {
        let queue = reclaimer.clone();
        reclaimer.defer(move || {
            let _ = thread.join();
            queue.enqueue(rest);
        });
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

fn log(level: LogLevel, bundle: &str, text: &str) {
    write_log(level, bundle, "on_unload", text);
}
