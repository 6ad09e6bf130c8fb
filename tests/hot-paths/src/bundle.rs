//! The native bundle that is called, and what the calls of all bundles share.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::PathBuf;

use tempfile::TempDir;
use test_contracts::CalculatorProxy;

/// The argument of `greet`.
pub(crate) const NAME: &str = "sixteen letters!";

/// The argument of `sum`.
pub(crate) fn data() -> Vec<u8> {
    (0..4096u32).map(|n| n as u8).collect()
}

/// Returns the library of a package, which lies beside this program.
pub(crate) fn library(package: &str) -> PathBuf {
    let program = std::env::current_exe().expect("a program knows its own path");
    program.with_file_name(format!("{DLL_PREFIX}{}{DLL_SUFFIX}", package.replace('-', "_")))
}

/// Makes a bundle with the library of `package`.
pub(crate) fn native(package: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("manifest.toml"), manifest("native", "plugin")).expect("a manifest");
    let file = folder.path().join(format!("plugin{DLL_SUFFIX}"));
    std::fs::copy(library(package), file).expect("the library is built");
    folder
}

pub(crate) fn manifest(loader: &str, file: &str) -> String {
    format!("name = \"counted\"\nversion = \"1.0.0\"\nloader = {loader:?}\nfile = {file:?}\n")
}

/// Checks that the calculator answers, so that no refusal is counted in place of an answer.
pub(crate) fn check(calc: &CalculatorProxy) {
    assert_eq!(calc.add(2, 3), Ok(5));
    assert_eq!(calc.greet(NAME).as_deref(), Ok("Hello, sixteen letters!!"));
    assert_eq!(calc.sum(&data()), Ok(data().iter().map(|byte| u64::from(*byte)).sum()));
}
