//! Running a model, and its mutants.

use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::sync;

/// The number of preemptions in an execution, unless `LOOM_MAX_PREEMPTIONS` has another one. Enough for every mutant.
const PREEMPTIONS: usize = 3;

/// The variable that is set for a process that has to fail.
const MUTANT: &str = "POLYPLUG_LOOM_MUTANT";

/// Runs `model` in every order of its steps, within the bound.
pub(crate) fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(PREEMPTIONS);
    builder.max_branches = 20_000;
    end_at_first_panic();
    let executions = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&executions);
    let begin = Instant::now();
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        crossbeam_epoch::reset();
        sync::reset();
        model();
    });
    let (executions, time) = (executions.load(Ordering::Relaxed), begin.elapsed());
    let stopped = builder.max_duration.is_some_and(|limit| time >= limit);
    println!("{executions} executions in {time:.1?}{}", if stopped { ": stopped, there are more" } else { "" });
}

/// Runs `model`, of a mutant, in a process of its own, where it has to fail with the message `complaint`.
///
/// `test` is the name of the test that calls this.
///
/// # Panics
///
/// If it passes, or fails with another message.
pub fn must_fail(test: &str, model: fn(), complaint: &str) {
    if std::env::var_os(MUTANT).is_some() {
        return model();
    }
    let program = std::env::current_exe().expect("a test knows its own path");
    let mut child = Command::new(program);
    let output = child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(MUTANT, "1").output();
    let output = output.expect("the test runs again");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "the mutant is not found: no execution fails\n{said}");
    assert!(said.contains(complaint), "the mutant fails, but not by `{complaint}`:\n{said}");
}

/// Makes a panic of any test end the process: the threads of a model cannot be unwound, because their destructors would
/// take steps of a model that has ended.
fn end_at_first_panic() {
    std::panic::set_hook(Box::new(|panic| {
        // Not by a macro, whose output the test harness might capture.
        let _ = writeln!(std::io::stderr(), "{panic}\nLOOM_LOCATION=1 tells where threads are.");
        std::process::exit(101);
    }));
}
