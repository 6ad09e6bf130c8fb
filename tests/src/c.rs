//! Programs and plugins in C, compiled by the tests that run and load them.

use std::env::consts::DLL_SUFFIX;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::{Bundle, manifest};

/// Returns the options that make a shared library.
pub const SHARED: &[&str] = &["-shared", "-fPIC"];

/// Compiles `source`, a file of `tests/c` or a path, into `output`. Each of `options` is one of the compiler's.
///
/// # Panics
///
/// If there is no C compiler, or it finds an error.
pub fn compile_c(source: impl AsRef<Path>, options: &[&str], output: &Path) {
    let mut command = compiler();
    command.args(["-std=c11", "-Wall", "-Wextra", "-Werror"]);
    // A linker searches libraries for the symbols of the files before them.
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("c").join(source)).args(options).arg("-o").arg(output);
    compile(&mut command);
}

/// Runs a compiler.
///
/// # Panics
///
/// If there is no compiler, or it finds an error.
pub fn compile(command: &mut Command) {
    let compiled = command.output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}: these tests compile C. Install a C compiler (on Debian: apt install gcc), or name one in the \
             environment variable CC",
            command.get_program().display()
        )
    });
    assert!(compiled.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&compiled.stderr));
}

/// Returns the C compiler.
#[must_use]
pub fn compiler() -> Command {
    Command::new(std::env::var_os("CC").unwrap_or_else(|| OsString::from("cc")))
}

/// Returns whether the tests are to do without a `tool` that not every machine has. The environment variable
/// `POLYPLUG_TESTS_WITHOUT` lists such tools, with commas. A tool that is missing and not listed makes its tests fail.
#[must_use]
pub fn without(tool: &str) -> bool {
    let without = std::env::var("POLYPLUG_TESTS_WITHOUT").unwrap_or_default();
    let without = without.split(',').any(|each| each.trim() == tool);
    if without {
        eprintln!("SKIPPED: POLYPLUG_TESTS_WITHOUT names {tool}");
    }
    without
}

impl Bundle {
    /// Makes a bundle called `name` with the library made of `source`, a file of `tests/c`. Each of `defines` is `NAME`
    /// or `NAME=value`.
    ///
    /// # Panics
    ///
    /// If the library cannot be compiled, or the folder cannot be written.
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
