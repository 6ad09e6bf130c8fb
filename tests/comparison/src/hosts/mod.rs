//! The hosts: each loads the same plugin by other means. What a file here has is what a host needs of code.

use std::path::PathBuf;

use anyhow::Result;

pub(crate) mod abi_stable;
pub(crate) mod extism;
pub(crate) mod libloading;
pub(crate) mod mlua;
pub(crate) mod polyplug;
pub(crate) mod pyo3;
pub(crate) mod rquickjs;
pub(crate) mod stabby;
pub(crate) mod wasmtime;

/// A loaded plugin.
pub(crate) trait Calculator {
    fn add(&mut self, a: i32, b: i32) -> Result<i32>;
    fn greet(&mut self, name: &str) -> Result<String>;
    fn sum(&mut self, data: &[u8]) -> Result<u64>;
}

/// Returns the path of a file in the folder of the comparison.
pub(crate) fn source(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Returns the path of the library of `package`, which has been built beside this program.
pub(crate) fn library(package: &str) -> Result<PathBuf> {
    let name = format!("{}{package}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    Ok(std::env::current_exe()?.with_file_name(name))
}
