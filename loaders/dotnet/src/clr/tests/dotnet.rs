//! Installations of .NET, and the bridge.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::hostfxr::Function;
use super::super::installed::versions;
use super::super::{Clr, ClrConfig, prepare_thread};

/// The versions that the tests run with.
pub(super) const VERSIONS: [&str; 2] = ["9.0.1", "3.1.23"];

/// The class of the bridge.
pub(super) const ENTRY: &str = "Polyplug.Bridge.Entry, Polyplug";

/// Returns whether these tests are left out, because .NET cannot be set up.
pub(super) fn is_left_out() -> bool {
    std::env::var("POLYPLUG_TESTS_WITHOUT").is_ok_and(|without| without.split(',').any(|name| name.trim() == "dotnet"))
}

/// Returns the folder of a version, or of the SDK that is installed in its place.
pub(super) fn root(version: &str) -> PathBuf {
    let program = std::env::current_exe().expect("a test knows its own path");
    // The sanitizers' target folders lie in the ordinary one.
    let places: Vec<PathBuf> = program.ancestors().map(|folder| folder.join("dotnet")).collect();
    let sdk = places.iter().find_map(|place| fs::read_to_string(place.join("sdk")).ok()).map(PathBuf::from);
    let mut packages = places.iter().map(|place| place.join(version).join("dotnet"));
    let root = sdk.or_else(|| packages.find(|root| root.is_dir()));
    root.unwrap_or_else(|| {
        panic!(".NET {version} is missing: run `cargo xtask dotnet`, or do without: POLYPLUG_TESTS_WITHOUT=dotnet")
    })
}

/// Returns the newest version in a folder of an installation.
pub(super) fn newest(root: &Path, folder: &str) -> String {
    let versions = versions(&root.join(folder)).expect("the folder can be read");
    versions.last().expect("the installation has a version").0.to_string()
}

/// Returns the assembly of the bridge.
pub(super) fn bridge() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("bridge/Polyplug.dll")).expect("the bridge can be read")
}

/// Returns options with nothing but the folder of .NET.
pub(super) fn at(root: impl Into<PathBuf>) -> ClrConfig {
    ClrConfig { root: Some(root.into()), ..ClrConfig::default() }
}

/// Starts the CLR.
#[track_caller]
pub(super) fn start(config: &ClrConfig) -> &'static Clr {
    Clr::start(config, &bridge()).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the error of a start.
#[track_caller]
pub(super) fn error(config: &ClrConfig) -> String {
    match Clr::start(config, &bridge()) {
        Ok(clr) => panic!("{} starts with {config:?}", clr.version()),
        Err(error) => error.to_string(),
    }
}

/// Returns the function of the bridge that catches a null reference, and then returns 42.
pub(super) fn probe(clr: &Clr) -> Function {
    clr.function(ENTRY, "Probe").unwrap_or_else(|error| panic!("{error}"))
}

/// Calls that function on this thread.
pub(super) fn call(probe: Function) -> i32 {
    prepare_thread();
    // SAFETY: the function is the bridge's, and does not use its arguments.
    unsafe { probe(std::ptr::null(), 0) }
}

/// Makes a folder like that of an installation, by links to a real one.
#[cfg(unix)]
pub(super) fn linked(root: &Path, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for name in ["host", "shared"] {
        std::os::unix::fs::symlink(root.join(name), folder.join(name)).unwrap();
    }
}

/// Checks that a text has parts.
#[track_caller]
pub(super) fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}
