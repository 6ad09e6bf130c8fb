//! The functions that the code of a version registered for its unload. They run after the version's last call, before
//! the version's shared instances end and its modules are closed.

use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use polyplug_abi::LogLevel;

use super::reclaim::{Reclaimer, VersionResources};
use crate::guest::{catch, describe_panic};
use crate::host::abi::log::write_log;
use crate::host::joined_thread::spawn_joined;
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
    /// The functions run for longer than their limit. What is to be reclaimed afterwards.
    Abandoned(VersionResources),
}

thread_local! {
    /// True on a thread that runs functions for an unload.
    static RUNS_FUNCTIONS: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread runs functions for an unload, for which the thread waits that reclaims the version.
pub(crate) fn runs_functions() -> bool {
    RUNS_FUNCTIONS.get()
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
    /// The functions run on a thread of their own. If that thread has not ended after their limit, this thread goes on
    /// without it, and `rest` is reclaimed when it has ended.
    pub(crate) fn run_before(self, rest: VersionResources) {
        let Self { bundle, reclaimer, limit, functions } = self;
        let task = Task::new(format!("the unload of bundle `{bundle}`"));
        let awaiting = Task::awaiting(&task);
        let progress = Arc::new((Mutex::new(Progress::Running), Condvar::new()));
        // Kept here as well, for the case that no thread can be started.
        let functions = Arc::new(Mutex::new(functions));
        let work = {
            let (functions, bundle) = (Arc::clone(&functions), bundle.clone());
            move || {
                RUNS_FUNCTIONS.set(true);
                task.run(|| run_all(&functions, &bundle));
            }
        };
        let started = spawn_joined("polyplug-unload", work, {
            let progress = Arc::clone(&progress);
            move |_| finish(&progress, &reclaimer)
        });
        if let Err(error) = started {
            let text = format!("the functions run without a limit, as the system has no more threads: {error}");
            log(LogLevel::Warn, &bundle, &text);
            run_all(&functions, &bundle);
            drop(awaiting);
            drop(rest);
            return;
        }
        let (state, changed) = &*progress;
        let waited = changed.wait_timeout_while(lock(state), limit, |state| matches!(state, Progress::Running));
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        drop(awaiting);
        if matches!(*state, Progress::Finished) {
            drop(state);
            drop(rest);
            return;
        }
        *state = Progress::Abandoned(rest);
        drop(state);
        let text =
            format!("the functions have not returned after {limit:?}: the bundle's code stays in memory until then");
        log(LogLevel::Warn, &bundle, &text);
    }
}

/// Runs the functions, the last one first. Failures are logged.
fn run_all(functions: &Mutex<Vec<UnloadFunction>>, bundle: &str) {
    let report = |text: &str| log(LogLevel::Error, bundle, &format!("a function failed: {text}"));
    let functions = std::mem::take(&mut *functions.lock().unwrap_or_else(PoisonError::into_inner));
    for function in functions.into_iter().rev() {
        if let Err(payload) = catch(|| function(&report)) {
            report(&describe_panic(payload));
        }
    }
}

/// Notes that the functions have returned and their thread has ended. If nobody waits any more, has the rest reclaimed.
fn finish(progress: &(Mutex<Progress>, Condvar), reclaimer: &Reclaimer) {
    let before = std::mem::replace(&mut *lock(&progress.0), Progress::Finished);
    progress.1.notify_all();
    if let Progress::Abandoned(rest) = before {
        reclaimer.enqueue(rest);
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

fn log(level: LogLevel, bundle: &str, text: &str) {
    write_log(level, bundle, "on_unload", text);
}
