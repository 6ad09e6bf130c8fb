//! Debian's `rustc-web` with the source of the standard library.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::apt::Apt;
use super::group::Group;
use crate::process::quietly;

/// The compiler, unpacked.
pub(super) struct Compiler {
    pub(super) root: PathBuf,
    pub(super) rustc: PathBuf,
    /// The folder of the libraries that it is linked with.
    pub(super) libraries: PathBuf,
    /// The major version of its LLVM.
    pub(super) llvm: u32,
}

impl Compiler {
    /// Downloads and unpacks the compiler, unless that has been done.
    pub(super) fn set_up(apt: &Apt) -> Result<Self> {
        let mut group = Group {
            name: "compiler",
            packages: [PACKAGE, "libstd-rust-web-dev", "rust-web-src"].map(str::to_owned).to_vec(),
            tools: ["usr/bin/rustc", "usr/lib/rustlib/src/rust/library/Cargo.lock"].map(str::to_owned).to_vec(),
            places: &[],
        };
        // What is there stays at its version until the folder is removed, since the files of two would mix.
        if !group.is_there(apt) {
            let [major, minor] = release_of(&apt.candidate(PACKAGE)?)?;
            group.packages.push(format!("libstd-rust-web-{major}.{minor}"));
            group.set_up(apt)?;
        }

        let (rustc, libraries) = (apt.root.join("usr/bin/rustc"), apt.root.join("usr/lib/x86_64-linux-gnu"));
        let said = quietly(Command::new(&rustc).arg("-vV").env("LD_LIBRARY_PATH", &libraries))?;
        let llvm = llvm_of(&said).with_context(|| format!("{} names no LLVM:\n{said}", rustc.display()))?;
        Ok(Self { root: apt.root.clone(), rustc, libraries, llvm })
    }
}

const PACKAGE: &str = "rustc-web";

/// The oldest release that compiles this repository.
const NEEDED: &str = env!("CARGO_PKG_RUST_VERSION");

/// Reads the release of Rust in a package's version. One that is too old is an error.
fn release_of(version: &str) -> Result<[u32; 2]> {
    let number = |text: &str| {
        let mut parts = text.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse().ok());
        Some([parts.next()?, parts.next()?])
    };
    let release =
        number(version).with_context(|| format!("rustc-web has the version {version}, which is no release"))?;
    if number(NEEDED).is_some_and(|needed| release < needed) {
        bail!(
            "the sources of apt have rustc-web {version}, and this repository needs {NEEDED} or newer, which the security \
             archive has"
        );
    }
    Ok(release)
}

/// Reads the line `LLVM version: 22.1.8` of `rustc -vV`.
fn llvm_of(described: &str) -> Option<u32> {
    let version = described.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_from_debians_version() {
        assert_eq!(release_of("1.96.0+dfsg1-1~deb12u2").unwrap(), [1, 96]);
        let error = release_of("1.63.0+dfsg1-2").unwrap_err().to_string();
        assert!(error.contains("1.63.0") && error.contains(NEEDED), "{error}");
        assert!(release_of("nightly").unwrap_err().to_string().contains("nightly"));
    }

    #[test]
    fn the_version_of_llvm_is_read() {
        assert_eq!(llvm_of("rustc 1.96.0\nbinary: rustc\nLLVM version: 22.1.8\n"), Some(22));
        assert_eq!(llvm_of("rustc 1.96.0\n"), None);
    }
}
