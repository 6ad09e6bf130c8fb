//! Plugins in C, compiled by the tests that load them.

use std::env::consts::DLL_SUFFIX;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use crate::{Bundle, manifest};

/// The options that make a shared library.
pub const SHARED: &[&str] = &["-shared", "-fPIC"];

/// Compiles `source`, a file of `tests/c`, into `output`. Each of `options` is one of the compiler's.
///
/// # Panics
///
/// If there is no C compiler, or it finds an error.
pub fn compile_c(source: &str, options: &[&str], output: &Path) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("c");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| OsString::from("cc"));
    let mut command = Command::new(&compiler);
    command.args(["-std=c11", "-Wall", "-Wextra", "-Werror"]).args(options);
    command.args([OsStr::new("-o"), output.as_os_str(), folder.join(source).as_os_str()]);
    let compiled = command.output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}: these tests compile plugins in C. Install a C compiler (on Debian: apt install gcc), \
             or name one in the environment variable CC",
            compiler.display()
        )
    });
    assert!(compiled.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&compiled.stderr));
}

impl Bundle {
    /// A bundle called `name` with the library made of `source`, a file of `tests/c`. Each of `defines` is `NAME` or
    /// `NAME=value`.
    ///
    /// # Panics
    ///
    /// If the library cannot be compiled, or the folder not be written.
    #[must_use]
    pub fn c(name: &str, source: &str, defines: &[&str]) -> Self {
        let bundle = Self::empty();
        bundle.write("manifest.toml", manifest(name, "native", "plugin"));
        let defines: Vec<_> = defines.iter().map(|define| format!("-D{define}")).collect();
        let options: Vec<_> = SHARED.iter().copied().chain(defines.iter().map(String::as_str)).collect();
        compile_c(source, &options, &bundle.path().join(format!("plugin{DLL_SUFFIX}")));
        bundle
    }
}
