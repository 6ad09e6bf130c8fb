//! .NET for the tests: the runtimes and the compiled plugins, which `cargo xtask fixtures` puts into the target directory.
//!
//! Where .NET cannot be set up, `POLYPLUG_TESTS_WITHOUT` lists `dotnet`, and [`without`](crate::without) says so.

use std::path::{Path, PathBuf};

/// A version of .NET that the tests run with. Where an SDK is installed, it takes the place of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// .NET Core 3.1, the oldest that the bridge is compiled for.
    Net31,
    /// .NET 9.
    Net9,
}

impl Version {
    /// All versions.
    pub const ALL: [Self; 2] = [Self::Net31, Self::Net9];

    /// Returns the folder of this version.
    fn folder(self) -> &'static str {
        match self {
            Self::Net31 => "3.1.23",
            Self::Net9 => "9.0.1",
        }
    }
}

/// Returns the root of a runtime, as in `DOTNET_ROOT`: the folder that has `host/fxr` and `shared`.
///
/// # Panics
///
/// If it has not been set up.
#[must_use]
#[track_caller]
pub fn root(version: Version) -> PathBuf {
    let place = place();
    let sdk = place.as_ref().and_then(|place| std::fs::read_to_string(place.join("sdk")).ok());
    let package = || Some(place?.join(version.folder()).join("dotnet"));
    let root = sdk.map(PathBuf::from).or_else(package).filter(|root| root.join("host/fxr").is_dir());
    root.unwrap_or_else(|| panic!("there is no .NET for {version:?}: {REMEDY}"))
}

/// Returns the assembly of a plugin or a library in C#, by its path in `tests/guests/dotnet`: `calculator`, `lib/Words`.
/// Beside it lies a `.pdb` with the lines of its methods.
///
/// # Panics
///
/// If it has not been compiled.
#[must_use]
#[track_caller]
pub fn assembly(name: &str) -> PathBuf {
    let path = place().map(|place| place.join("guests").join(format!("{name}.dll"))).filter(|path| path.is_file());
    path.unwrap_or_else(|| panic!("tests/guests/dotnet/{name}.cs is not compiled: {REMEDY}"))
}

const REMEDY: &str = "run `cargo xtask dotnet --guests`, which says what it needs, or `cargo xtask fixtures`. Or do \
                      without: POLYPLUG_TESTS_WITHOUT=dotnet";

/// Returns the folder of everything that belongs to .NET.
fn place() -> Option<PathBuf> {
    let executable = std::env::current_exe().expect("a test knows its own path");
    place_above(&executable)
}

/// Returns the first folder `dotnet` with a toolchain beside or above a path. The sanitizers' target directories lie in
/// the ordinary one, which has it for all.
fn place_above(path: &Path) -> Option<PathBuf> {
    let mut places = path.ancestors().map(|folder| folder.join("dotnet"));
    places.find(|place| place.join("lock").is_file() || place.join("sdk").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_found_from_every_target_directory() {
        let temp = tempfile::tempdir().unwrap();
        let target = temp.path().join("target");
        let tests = ["debug/deps/test-1", "asan/x86_64-unknown-linux-gnu/debug/deps/test-1"];
        for test in tests {
            assert_eq!(place_above(&target.join(test)), None);
        }
        std::fs::create_dir_all(target.join("dotnet")).unwrap();
        std::fs::write(target.join("dotnet/lock"), "").unwrap();
        for test in tests {
            assert_eq!(place_above(&target.join(test)), Some(target.join("dotnet")));
        }
    }

    #[test]
    fn every_version_is_there() {
        if crate::without("dotnet") {
            return;
        }
        for version in Version::ALL {
            let resolver = root(version).join("host/fxr");
            assert!(resolver.read_dir().unwrap().next().is_some(), "{}", resolver.display());
        }
    }
}
