//! The tools that decide how many instructions a call takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The groups of calls, and the tools that each depends on besides the compiler of Rust and the C library.
pub const GROUPS: [(&str, &[&str]); 4] = [("native", &[]), ("lua", &["cc"]), ("js", &["cc"]), ("python", &["python"])];

/// The tools that every group depends on.
const EVERY: [&str; 2] = ["rustc", "libc"];

/// The versions of tools, by the tools' names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools(pub(super) BTreeMap<String, String>);

impl Tools {
    /// Returns the versions of those that are here.
    ///
    /// # Errors
    ///
    /// If one cannot be asked.
    pub fn here() -> Result<Self, String> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let python = std::env::var_os("PYO3_PYTHON").unwrap_or_else(|| "python3".into());
        let versions = [
            ("rustc", first_line(Path::new(&rustc), "--version")?),
            ("libc", libc_version()),
            ("cc", first_line(Path::new(crate::compiler().get_program()), "--version")?),
            ("python", first_line(Path::new(&python), "--version")?),
        ];
        Ok(Self(versions.map(|(name, version)| (name.to_owned(), version)).into()))
    }

    /// Returns the version of a tool; empty if it is not known.
    #[must_use]
    pub fn version(&self, tool: &str) -> &str {
        self.0.get(tool).map_or("", String::as_str)
    }

    /// Returns the tools that a call depends on and that are of other versions in `other`, with both versions.
    #[must_use]
    pub fn differences(&self, other: &Self, call: &str) -> Vec<String> {
        let own =
            GROUPS.iter().find(|(group, _)| call.split(' ').next() == Some(group)).map_or(&[][..], |(_, own)| own);
        let tools = EVERY.iter().chain(own).filter(|tool| self.version(tool) != other.version(tool));
        tools.map(|tool| format!("{tool}: `{}` there, `{}` here", self.version(tool), other.version(tool))).collect()
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn libc_version() -> String {
    // SAFETY: the function has no preconditions, and returns a static text.
    let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    format!("glibc {}", version.to_string_lossy())
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn libc_version() -> String {
    format!("that of {}", std::env::consts::OS)
}

fn first_line(program: &Path, option: &str) -> Result<String, String> {
    let output = Command::new(program).arg(option).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() { Err(format!("{} {option} says nothing", program.display())) } else { Ok(line.to_owned()) }
}
