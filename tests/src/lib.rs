//! Helpers of the tests: finding built plugins, making bundles of them, and more.

mod abi;
pub mod batches;
pub mod bench;
mod c;
pub mod calculators;
pub mod child;
#[cfg(target_os = "linux")]
pub mod confined;
pub mod copies;
pub mod damage;
#[cfg(any(test, doctest))]
mod docs;
pub mod dotnet;
pub mod engine;
pub mod error_path;
pub mod footprint;
pub mod generate;
pub mod grow;
pub mod handles;
pub mod instructions;
pub mod js;
pub mod layers;
mod log;
pub mod lua;
mod maps;
#[cfg(feature = "python")]
pub mod python;
mod refusal;
mod rename;
pub mod shared_dirs;
pub mod storm;
pub mod values;
pub mod watching;

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug::Runtime;
use polyplug_native::NativeLoader;
use tempfile::TempDir;

pub use abi::{last_error, reported};
pub use c::{SHARED, compile, compile_c, compiler, without};
pub use log::{Logged, logged, logged_anywhere};
pub use maps::{eventually, mapped_below};
pub use refusal::{BAD, refused, refused_by, unloaded, works};
pub use rename::{remove_dir_all, rename};

/// Makes a runtime with the native loader.
#[must_use]
pub fn runtime() -> Arc<Runtime> {
    log::listen();
    Runtime::builder().loader(NativeLoader::new()).build().expect("one loader has no rival")
}

/// Returns the library of the fixture package `package`, for example `plugin-calc`.
///
/// # Panics
///
/// If it has not been built.
#[must_use]
pub fn library(package: &str) -> PathBuf {
    let name = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", package.replace('-', "_"));
    let executable = std::env::current_exe().expect("a test knows its own path");
    // The test is target/debug/deps/test-1234. A copy of the library in the same folder may be built with the features
    // of all crates that the tests link; the library as authors get it lies a folder up.
    let found = executable.ancestors().nth(2).map(|folder| folder.join(&name)).filter(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built: run `cargo build -p {package}`, or `cargo xtask test`"))
}

/// A bundle in a folder of its own, which is removed when the value is dropped.
pub struct Bundle {
    folder: TempDir,
}

impl Bundle {
    /// Makes a bundle called `name` with the library of fixture package `package`.
    ///
    /// # Panics
    ///
    /// If the library has not been built, or the folder cannot be written.
    #[must_use]
    pub fn native(name: &str, package: &str) -> Self {
        let bundle = Self::empty();
        bundle.write("manifest.toml", manifest(name, "native", "plugin"));
        std::fs::copy(library(package), bundle.path().join(format!("plugin{DLL_SUFFIX}"))).expect("a copy");
        bundle
    }

    /// Makes a bundle `loader` of one file in the loader's language: `lua`, `python` or `js`.
    ///
    /// # Panics
    ///
    /// If the file system fails.
    #[must_use]
    pub fn script(loader: &str, code: &str) -> Self {
        let bundle = Self::empty();
        let file = main_file(loader);
        bundle.write("manifest.toml", manifest(loader, loader, file));
        bundle.write(file, code);
        bundle
    }

    /// Makes an empty folder.
    ///
    /// # Panics
    ///
    /// If the folder cannot be made.
    #[must_use]
    pub fn empty() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    /// Writes a file.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), contents).expect("a file in a temporary folder");
    }

    /// Returns the bundle's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Returns the number of repetitions of a step that is usually repeated `usual` times: ten times as many with
/// `POLYPLUG_SOAK=10`, fewer with `0.1`. The number is even, and not 0.
///
/// # Panics
///
/// If the variable is not a number.
#[must_use]
pub fn rounds(usual: u32) -> u32 {
    let times: f64 =
        std::env::var("POLYPLUG_SOAK").map_or(1.0, |times| times.parse().expect("POLYPLUG_SOAK: a number"));
    ((f64::from(usual) * times / 2.0).ceil() as u32).max(1) * 2
}

/// Returns the name of the main file of a bundle `loader`, of a language whose bundles are text.
///
/// # Panics
///
/// Panics if there is no such loader.
#[must_use]
pub fn main_file(loader: &str) -> &'static str {
    match loader {
        "lua" => "main.lua",
        "python" => "main.py",
        "js" => "main.js",
        _ => panic!("no loader `{loader}` loads text"),
    }
}

/// Returns the text of a manifest.
#[must_use]
pub fn manifest(name: &str, loader: &str, file: &str) -> String {
    format!("name = {name:?}\nversion = \"1.0.0\"\nloader = {loader:?}\nfile = {file:?}\n")
}
