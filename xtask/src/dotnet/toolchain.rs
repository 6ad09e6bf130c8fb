//! The toolchain of a machine: an SDK, or the runtimes of packages with Mono's compiler.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::mono::Mono;
use super::packages::{NET_9, NET_31, Package};
use super::sdk::Sdk;
use crate::lock::Lock;
use crate::workspace;

/// The way in which this machine compiles C# and runs it.
pub(super) enum Toolchain {
    /// An SDK, with the versions that it brings.
    Sdk(Sdk),
    /// The runtimes of [`NET_31`] and [`NET_9`], and Mono's compiler.
    Packages,
}

impl Toolchain {
    /// Sets the toolchain up: downloads and unpacks what is not there yet.
    pub(super) fn set_up() -> Result<Self> {
        let place = place();
        let marker = place.join(SDK);
        match Sdk::find() {
            Some(sdk) => {
                fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
                let root = sdk.root.display().to_string();
                fs::write(&marker, root).with_context(|| format!("cannot write {}", marker.display()))?;
                Ok(Self::Sdk(sdk))
            }
            None => {
                set_up_packages(&[&NET_31, &NET_9])?;
                if marker.exists() {
                    fs::remove_file(&marker).with_context(|| format!("cannot remove {}", marker.display()))?;
                }
                Ok(Self::Packages)
            }
        }
    }

    /// Does the same as [`set_up`](Self::set_up). Where that is not possible, or .NET is not wanted, it says so with the
    /// `consequence` and the `remedies`, and returns `None`; on a build server, where nobody reads notices, it fails.
    pub(super) fn set_up_or_skip(consequence: &str, remedies: &str) -> Result<Option<Self>> {
        if unwanted() {
            eprintln!("SKIPPED dotnet: {WITHOUT} names it: {consequence}");
            return Ok(None);
        }
        match Self::set_up() {
            Ok(toolchain) => Ok(Some(toolchain)),
            Err(error) if env::var("CI").is_ok_and(|ci| ci == "true") => Err(error),
            Err(error) => {
                eprintln!("\nSKIPPED dotnet: {consequence}: {error:#}\n{remedies}\n");
                Ok(None)
            }
        }
    }

    /// Sets up what compiles for the oldest version of .NET, also where there is an SDK.
    pub(super) fn for_the_oldest() -> Result<Self> {
        set_up_packages(&[&NET_31])?;
        Ok(Self::Packages)
    }

    /// Returns a description for people.
    pub(super) fn described(&self) -> String {
        match self {
            Self::Sdk(sdk) => format!("the .NET SDK {} compiles and runs; nothing is downloaded", sdk.version),
            Self::Packages => format!("mcs and the runtimes {} and {} of .NET are here", NET_31.version, NET_9.version),
        }
    }

    /// Returns the `DOTNET_ROOT`s.
    pub(super) fn roots(&self) -> Vec<PathBuf> {
        match self {
            Self::Sdk(sdk) => vec![sdk.root.clone()],
            Self::Packages => [NET_31, NET_9].iter().map(|package| package.root(&place())).collect(),
        }
    }
}

/// The file that has the root of the SDK, where there is one. The tests read it.
const SDK: &str = "sdk";

/// Returns the folder of everything that belongs to .NET, in the target directory.
pub(super) fn place() -> PathBuf {
    workspace::target_dir().join("dotnet")
}

/// The variable that lists what the tests are to do without.
pub(super) const WITHOUT: &str = "POLYPLUG_TESTS_WITHOUT";

/// Returns whether the tests are to do without .NET.
pub(super) fn unwanted() -> bool {
    env::var(WITHOUT).is_ok_and(|without| without.split(',').any(|each| each.trim() == "dotnet"))
}

/// An empty folder in [`place`], which goes with its contents. The lock says that nobody else has it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(place: &Path, _lock: &Lock) -> Result<Self> {
        let folder = place.join("unfinished");
        // A run that was interrupted has left it.
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn set_up_packages(packages: &[&Package]) -> Result<()> {
    if (env::consts::OS, env::consts::ARCH) != ("linux", "x86_64") {
        bail!(
            "this machine lacks a .NET SDK, whose `dotnet` is on the path. Only on Linux on x86-64 there is another way.\n    \
             To get one: https://dotnet.microsoft.com/download"
        );
    }
    let place = place();
    let mono = Mono::find();
    let missing: Vec<_> = mono
        .as_ref()
        .err()
        .cloned()
        .into_iter()
        .chain(packages.iter().filter_map(|each| each.missing(&place)))
        .collect();
    if !missing.is_empty() {
        bail!("this machine lacks:\n  - {}\n    or a .NET SDK, in place of all that", missing.join("\n  - "));
    }
    let lock = Lock::take(&place)?;
    let scratch = Scratch::new(&place, &lock)?;
    for package in packages {
        package.unpack(&place, &scratch.0)?;
    }
    mono.map_err(anyhow::Error::msg)?.prepare(&place, &scratch.0)
}
