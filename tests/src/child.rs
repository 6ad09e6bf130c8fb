//! Running a test's own program again, for checks from outside of the process.

use std::process::Command;

const MARK: &str = "POLYPLUG_TEST_CHILD";

/// Returns whether this process was started by [`again`].
#[must_use]
pub fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Returns the command that runs the test called `name` once more in a process of its own, where [`is_child`] holds.
///
/// # Panics
///
/// If the program does not know its own path.
#[must_use]
pub fn again(name: &str) -> Command {
    let mut command = this_program();
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(MARK, "1");
    command
}

/// Returns the command that runs this program: by `POLYPLUG_TESTS_RUNNER`, where the system cannot run it by itself.
fn this_program() -> Command {
    let program = std::env::current_exe().expect("a test knows its own path");
    let runner = std::env::var("POLYPLUG_TESTS_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace();
    let Some(first) = words.next() else { return Command::new(program) };
    let mut command = Command::new(first);
    command.args(words).arg(program);
    command
}

/// Returns whether this process runs only the test called `name`. If not, such a process was run and has passed the
/// test, and the caller has nothing more to do.
///
/// # Panics
///
/// If the test fails in that process.
#[must_use]
#[track_caller]
pub fn alone(name: &str) -> bool {
    if is_child() {
        return true;
    }
    let output = again(name).output().expect("a test can be run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{name}: {}\n{text}", output.status);
    false
}
