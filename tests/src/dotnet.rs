//! .NET for the tests: the runtimes and the compiled plugins, which `cargo xtask fixtures` puts into the target directory.
//!
//! Where .NET cannot be set up, `POLYPLUG_TESTS_WITHOUT` lists `dotnet`, and [`without`](crate::without) says so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug::Runtime;
use polyplug_dotnet::DotnetLoader;

use crate::{Bundle, manifest};

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

/// Makes a test of each function for each version of .NET. The function takes the version.
#[macro_export]
macro_rules! on_each_dotnet {
    ($($test:ident)+) => {
        mod net9 {
            $(#[test]
            fn $test() {
                if !$crate::without("dotnet") {
                    super::$test($crate::dotnet::Version::Net9);
                }
            })+
        }

        mod net31 {
            $(#[test]
            fn $test() {
                if !$crate::without("dotnet") {
                    super::$test($crate::dotnet::Version::Net31);
                }
            })+
        }
    };
}

/// Returns a loader with a runtime of this version. A process has one runtime, so that all its loaders need the same version.
#[must_use]
#[track_caller]
pub fn loader(version: Version) -> DotnetLoader {
    let loader = DotnetLoader::new().with_root(root(version));
    match version {
        // It does not know the ICU of today's systems.
        Version::Net31 => loader.with_property("System.Globalization.Invariant", "true"),
        Version::Net9 => loader,
    }
}

/// Makes a runtime with such a loader, in which bundles may be reloaded.
///
/// # Panics
///
/// Never panics, because one loader has no rival.
#[must_use]
#[track_caller]
pub fn dotnet_runtime(version: Version) -> Arc<Runtime> {
    crate::log::listen();
    let builder = Runtime::builder().loader(loader(version)).hot_reload(true);
    builder.build().expect("one loader has no rival")
}

/// Copies the assembly of these plugins into a bundle, with its `.pdb` and the libraries that its source refers to. Returns
/// the name of the assembly's file.
///
/// # Panics
///
/// If it has not been compiled.
pub fn install(plugins: &str, into: &Bundle) -> String {
    copy(&assembly(plugins), into.path());
    for library in libraries(plugins) {
        copy(&assembly(&library), into.path());
    }
    format!("{}.dll", plugins.rsplit('/').next().unwrap_or(plugins))
}

/// Makes a bundle called `name` with the assembly of these plugins.
///
/// # Panics
///
/// If it has not been compiled.
#[must_use]
#[track_caller]
pub fn dotnet_bundle(name: &str, plugins: &str) -> Bundle {
    let bundle = Bundle::empty();
    let file = install(plugins, &bundle);
    bundle.write("manifest.toml", manifest(name, "dotnet", &file));
    bundle
}

/// Copies an assembly into a folder, with its `.pdb`.
///
/// # Panics
///
/// If that fails.
pub fn copy(assembly: &Path, into: &Path) {
    for file in [assembly.to_owned(), assembly.with_extension("pdb")] {
        let name = file.file_name().expect("a file has a name");
        std::fs::copy(&file, into.join(name)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

/// Returns the libraries that the source of an assembly refers to, and those that they refer to.
fn libraries(name: &str) -> BTreeSet<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/dotnet");
    let (file, folder) = (sources.join(format!("{name}.cs")), sources.join(name));
    let files = match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.expect("an entry").path()).collect(),
        Err(_) => vec![file],
    };
    let mut found = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for reference in text.lines().filter_map(|line| line.strip_prefix("// reference:")) {
            let library = reference.trim().trim_end_matches(".dll");
            found.extend(libraries(library));
            found.insert(library.to_owned());
        }
    }
    found
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
