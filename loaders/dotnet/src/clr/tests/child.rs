//! Tests in processes of their own: a process has one CLR.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::dotnet::{VERSIONS, is_left_out, root};

const MARK: &str = "POLYPLUG_DOTNET_TEST_ROOT";

/// Returns the folder of .NET in a process that [`again`] has started.
pub(super) fn in_child() -> Option<PathBuf> {
    std::env::var_os(MARK).map(PathBuf::from)
}

/// Returns the versions for which a test starts processes.
pub(super) fn versions() -> &'static [&'static str] {
    if is_left_out() { &[] } else { &VERSIONS }
}

/// Returns the command that runs the test `name` of a file of this folder once more, on the main thread of a process that
/// names no .NET in its environment.
pub(super) fn again(file: &str, name: &str, version: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test knows its own path"));
    let test = format!("clr::tests::{file}::{name}");
    command.args(["--exact", &test, "--nocapture", "--test-threads=1"]).env(MARK, root(version));
    for variable in ["DOTNET_ROOT", "DOTNET_ROOT_X64", "DOTNET_ROOT_ARM64", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] {
        command.env_remove(variable);
    }
    command
}

/// Returns what such a process has written, after it has passed the test.
#[track_caller]
pub(super) fn passed(command: &mut Command) -> Output {
    let output = command.output().expect("a test can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{command:?}: {}\n{text}{errors}", output.status);
    output
}

/// Returns the folder of .NET in a process of the test's own. In the first process, has the test pass with each version,
/// and returns nothing.
#[track_caller]
pub(super) fn with_each(file: &str, name: &str) -> Option<PathBuf> {
    let root = in_child();
    if root.is_none() {
        versions().iter().for_each(|version| drop(passed(&mut again(file, name, version))));
    }
    root
}
