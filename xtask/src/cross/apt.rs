//! apt and dpkg, used by anybody: packages are downloaded and unpacked to a folder, and none is installed.
//!
//! apt checks each download against the index, which is signed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::quietly;

/// Debian's packages on this machine.
pub(super) struct Apt {
    /// The folder that all packages are unpacked to.
    pub(super) root: PathBuf,
    archives: PathBuf,
}

impl Apt {
    /// Uses folders below `place`.
    pub(super) fn new(place: &Path) -> Self {
        Self { root: place.join("root"), archives: place.join("archives") }
    }

    /// Returns the version of `package` that would be downloaded.
    pub(super) fn candidate(&self, package: &str) -> Result<String> {
        let mut command = Command::new("apt-cache");
        let said = quietly(command.env("LC_ALL", "C").args(["policy", package]))?;
        candidate_in(&said).with_context(|| format!("no source of apt has the package {package}"))
    }

    /// Returns the names of the files of `packages` and of what they depend on that the system lacks.
    pub(super) fn needed(&self, packages: &[String]) -> Result<Vec<String>> {
        let said = quietly(self.install(packages).arg("--simulate"))?;
        let files: Option<Vec<_>> = said.lines().filter(|line| line.starts_with("Inst ")).map(file_of).collect();
        files.with_context(|| format!("apt-get lists what it would install in a way that is not known:\n{said}"))
    }

    /// Downloads `packages`, which have these `files`.
    pub(super) fn download(&self, title: &str, packages: &[String], files: &[String]) -> Result<()> {
        eprintln!("      {title}: downloading {} packages of Debian", files.len());
        let partial = self.archives.join("partial");
        fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
        quietly(self.install(packages).arg("--download-only"))?;
        match files.iter().find(|file| !self.archives.join(file).is_file()) {
            Some(file) => bail!("apt-get downloaded the packages, but {file} is not in {}", self.archives.display()),
            None => Ok(()),
        }
    }

    /// Unpacks files that are downloaded.
    pub(super) fn unpack<'a>(&self, title: &str, files: impl Iterator<Item = &'a String>) -> Result<()> {
        eprintln!("      {title}: unpacking to {}", self.root.display());
        for file in files {
            quietly(Command::new("dpkg").arg("--extract").arg(self.archives.join(file)).arg(&self.root))?;
        }
        Ok(())
    }

    /// Removes the downloads.
    pub(super) fn forget_downloads(&self) -> Result<()> {
        fs::remove_dir_all(&self.archives).with_context(|| format!("cannot remove {}", self.archives.display()))
    }

    /// Returns the command that would install `packages`, without what does so.
    fn install(&self, packages: &[String]) -> Command {
        let mut command = Command::new("apt-get");
        // Named packages are wanted in the root, whether the system has them or not.
        command.env("LC_ALL", "C").args(["-qq", "--yes", "--no-install-recommends", "--reinstall"]);
        // Only the system's own folder needs its lock, and the rights to take it.
        command.args(["-o", "Debug::NoLocking=1", "-o"]);
        command.arg(format!("Dir::Cache::archives={}", self.archives.display()));
        command.arg("install").args(packages);
        command
    }
}

/// Reads the line `Candidate: 1.96.0` of `apt-cache policy`.
fn candidate_in(policy: &str) -> Option<String> {
    let candidate = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (candidate != "(none)").then(|| candidate.to_owned())
}

/// Returns the name of the file that apt makes of a line such as `Inst name [1:1.0] (1:1.1 Debian:12.15/oldstable [amd64])`.
fn file_of(line: &str) -> Option<String> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
    let (version, rest) = rest.split_once('(')?.1.split_once(')')?.0.split_once(' ')?;
    let architecture = rest.rsplit_once('[')?.1.strip_suffix(']')?;
    // A package of another architecture is listed with it.
    let name = name.split(':').next()?;
    Some(format!("{name}_{}_{architecture}.deb", version.replace(':', "%3a")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_a_candidate_has_none() {
        let policy = "rustc-web:\n  Installed: (none)\n  Candidate: 1.96.0+dfsg1-1~deb12u2\n  Version table:\n";
        assert_eq!(candidate_in(policy).as_deref(), Some("1.96.0+dfsg1-1~deb12u2"));
        assert_eq!(candidate_in("rustc:\n  Installed: 1.63\n  Candidate: (none)\n"), None);
        assert_eq!(candidate_in(""), None);
    }

    #[test]
    fn files_are_named_as_apt_names_them() {
        let new = "Inst libllvm22 (1:22.1.8-1~deb12u1 Debian-Security:12/oldstable-security [amd64])";
        assert_eq!(file_of(new).as_deref(), Some("libllvm22_1%3a22.1.8-1~deb12u1_amd64.deb"));
        let again = "Inst binutils [2.40-2] (2.40-2 Debian:12.15/oldstable, Other:1 [all]) [gcc:amd64 ]";
        assert_eq!(file_of(again).as_deref(), Some("binutils_2.40-2_all.deb"));
        let foreign = "Inst libc6:i386 (2.36-9 Debian:12.15/oldstable [i386])";
        assert_eq!(file_of(foreign).as_deref(), Some("libc6_2.36-9_i386.deb"));
        assert_eq!(file_of("Inst libc6"), None);
    }
}
