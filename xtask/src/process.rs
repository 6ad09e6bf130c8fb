//! Running programs: with their output passed through, and read meanwhile if wanted.
//!
//! Every program runs at the root of the repository, and every command line is shown before it runs.

use std::env;
use std::io::{self, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::python;
use crate::workspace::{self, PluginPackage, Profile};

/// Returns the cargo that started this program, so that `cargo +toolchain xtask` uses that toolchain for everything.
pub(crate) fn cargo() -> Command {
    program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Returns the command of a program that runs at the root of the repository, with the target directory and the Python
/// of all commands.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(workspace::root()).env("CARGO_TARGET_DIR", workspace::target_dir());
    // Where no Python is found, commands that need one have failed before, or PyO3's build fails.
    if let Ok(python) = python::chosen() {
        python.apply(&mut command);
    }
    command
}

/// Builds `packages` together, and nothing else, so that no other package's features reach them.
pub(crate) fn build(packages: &[PluginPackage], profile: Profile) -> Result<()> {
    let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    build_named(&names, profile)
}

/// Does the same as [`build`], for packages by their names.
pub(crate) fn build_named(packages: &[&str], profile: Profile) -> Result<()> {
    let mut command = cargo();
    command.arg("build");
    if profile == Profile::Release {
        command.arg("--release");
    }
    for package in packages {
        command.args(["--package", package]);
    }
    run(&mut command)
}

/// Returns whether `command` can be started and succeeds. Prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs `command` with its output passed through.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = show(command);
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs `command`, whose output is shown only if it fails.
pub(crate) fn quietly(command: &mut Command) -> Result<String> {
    let line = command_line(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).trim().to_owned());
        bail!("`{line}` failed ({}):\n{}", output.status, said.join("\n").trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The result of a program whose output was read.
pub(crate) struct Observed {
    pub(crate) success: bool,
    pub(crate) lines: Vec<String>,
}

/// Runs `command`, passes its output through as it comes, and keeps the lines that `wanted` accepts, unchanged.
pub(crate) fn observe(command: &mut Command, wanted: fn(&str) -> bool) -> Result<Observed> {
    let line = show(command);
    if io::stderr().is_terminal() && env::var_os("CARGO_TERM_COLOR").is_none() && env::var_os("NO_COLOR").is_none() {
        // The program writes to a pipe, and would print without colours.
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;

    let lines = Mutex::new(Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        if let Some(stdout) = stdout {
            scope.spawn(|| forward(stdout, io::stdout(), wanted, &lines));
        }
        if let Some(stderr) = stderr {
            scope.spawn(|| forward(stderr, io::stderr(), wanted, &lines));
        }
    });
    let success = child.wait().with_context(|| format!("lost `{line}`"))?.success();
    let lines = lines.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    Ok(Observed { success, lines })
}

/// Copies `from` to `to` in the pieces in which it arrives, so that an unfinished line is shown as well.
fn forward(mut from: impl Read, mut to: impl Write, wanted: fn(&str) -> bool, kept: &Mutex<Vec<String>>) {
    let mut piece = [0; 8192];
    let mut pending = Vec::new();
    loop {
        let length = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        // When our own output is closed, the program is still read to its end, because its result counts.
        let _ = to.write_all(&piece[..length]).and_then(|()| to.flush());
        pending.extend_from_slice(&piece[..length]);
        while let Some(end) = pending.iter().position(|&byte| byte == b'\n') {
            let rest = pending.split_off(end + 1);
            keep(&pending[..end], wanted, kept);
            pending = rest;
        }
    }
    keep(&pending, wanted, kept);
}

fn keep(line: &[u8], wanted: fn(&str) -> bool, kept: &Mutex<Vec<String>>) {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end_matches('\r');
    if wanted(line) {
        kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(line.to_owned());
    }
}

/// Prints the command line of `command` and returns it.
fn show(command: &Command) -> String {
    let line = command_line(command);
    eprintln!("    $ {line}");
    line
}

/// Returns `command` as one would type it at the root of the repository.
pub(crate) fn command_line(command: &Command) -> String {
    let root = workspace::root();
    let mut line = String::new();
    for part in std::iter::once(command.get_program()).chain(command.get_args()) {
        let path = std::path::Path::new(part);
        let text = if Some(part) == env::var_os("CARGO").as_deref() {
            "cargo".into()
        } else {
            path.strip_prefix(&root).unwrap_or(path).to_string_lossy()
        };
        if !line.is_empty() {
            line.push(' ');
        }
        if text.is_empty() || text.contains(char::is_whitespace) {
            line.push_str(&format!("'{text}'"));
        } else {
            line.push_str(&text);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_passed_through_and_wanted_lines_are_kept_as_they_were() {
        let input = b"one\n  two kept\r\npart of a line kept".as_slice();
        let mut output = Vec::new();
        let kept = Mutex::new(Vec::new());
        forward(input, &mut output, |line| line.ends_with("kept"), &kept);
        assert_eq!(output, input);
        assert_eq!(kept.into_inner().unwrap(), ["  two kept", "part of a line kept"]);
    }

    #[test]
    fn lines_are_put_together_from_any_pieces() {
        struct ByteByByte(&'static [u8]);
        impl Read for ByteByByte {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let Some((first, rest)) = self.0.split_first() else {
                    return Ok(0);
                };
                buffer[0] = *first;
                self.0 = rest;
                Ok(1)
            }
        }
        let kept = Mutex::new(Vec::new());
        forward(ByteByByte(b"a\n\nb\n"), io::sink(), |_| true, &kept);
        assert_eq!(kept.into_inner().unwrap(), ["a", "", "b", ""]);
    }

    #[test]
    fn a_command_line_is_shown_as_one_would_type_it() {
        let mut command = Command::new("tool");
        command.arg("a b").arg(workspace::root().join("docs"));
        assert_eq!(command_line(&command), "tool 'a b' docs");
    }
}
