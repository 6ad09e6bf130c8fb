//! Running a test's own program again where the system refuses what it usually allows: with a disk that is full or cannot be
//! written, or as a user without rights.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::child::{again, is_child};

/// Returns the command line that makes a disk with room for `bytes` at a folder.
#[must_use]
pub fn small_disk(folder: &Path, bytes: u64) -> String {
    format!("mount -t tmpfs -o size={bytes} none {}", quoted(folder))
}

/// Returns the command line that makes a disk at a folder from which no code is run.
#[must_use]
pub fn disk_without_programs(folder: &Path) -> String {
    format!("mount -t tmpfs -o size=64m,noexec none {}", quoted(folder))
}

/// Returns the command line after which nothing in a folder can be changed.
#[must_use]
pub fn read_only(folder: &Path) -> String {
    let folder = quoted(folder);
    format!("mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}")
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_str().expect("temporary folders have simple names").replace('\'', "'\\''"))
}

/// Returns `child` as a command that first runs `mounts`, which no other process notices. Returns `None` where nobody may
/// mount, and says so.
///
/// # Panics
///
/// If the system does not start programs.
#[must_use]
pub fn with_mounts(child: &Command, mounts: &str) -> Option<Command> {
    for namespaces in ["-Urm", "-m"] {
        let mut probe = Command::new("unshare");
        probe.args([namespaces, "sh", "-c", mounts]).stderr(Stdio::null()).stdout(Stdio::null());
        if !probe.status().is_ok_and(|status| status.success()) {
            continue;
        }
        let mut command = Command::new("unshare");
        command.args([namespaces, "sh", "-c"]).arg(format!("{mounts} && exec \"$0\" \"$@\""));
        command.arg(child.get_program()).args(child.get_args());
        command.envs(child.get_envs().filter_map(|(key, value)| Some((key, value?))));
        return Some(command);
    }
    eprintln!("SKIPPED: this system lets nobody mount; where it does, this works: unshare -Urm sh -c \"{mounts}\"");
    None
}

/// Runs a command that is to pass one test, and returns its output.
///
/// # Panics
///
/// If the test fails.
#[track_caller]
pub fn passes(command: &mut Command) -> String {
    let output = command.output().expect("a test can be run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{command:?}: {}\n{text}", output.status);
    text
}

/// Returns whether this process is one of a user whose rights are checked, and runs only the test called `name`. If not, such
/// a process was run and has passed the test, and the caller has nothing more to do.
///
/// # Panics
///
/// If the test fails in that process.
#[must_use]
#[track_caller]
pub fn as_ordinary_user(name: &str) -> bool {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;

    /// `nobody` and `nogroup` nearly everywhere. The number is all that counts.
    const NOBODY: u32 = 65_534;

    // SAFETY: the function has no preconditions.
    if is_child() || unsafe { libc::geteuid() } != 0 {
        return true;
    }
    let program = std::env::current_exe().expect("a test knows its own path");
    let is_open = |folder: &Path| folder.metadata().is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
    if let Some(closed) = program.ancestors().skip(1).find(|folder| !is_open(folder)) {
        eprintln!(
            "SKIPPED: root has every right, and other users may not enter {}: run this as another user",
            closed.display()
        );
        return false;
    }
    let temporary = TempDir::new().expect("a temporary folder");
    chown(temporary.path(), Some(NOBODY), Some(NOBODY)).expect("root may");
    let home: OsString = temporary.path().into();
    let mut command = again(name);
    command.env("TMPDIR", &home).env("HOME", &home).uid(NOBODY).gid(NOBODY); // other groups are left
    passes(&mut command);
    false
}
