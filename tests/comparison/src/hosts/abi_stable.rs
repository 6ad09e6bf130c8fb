//! abi_stable, which never unloads a library.

use std::path::Path;

use abi_stable::library::lib_header_from_path;
use abi_stable_interface::{BoxedCalculator, PluginRef};
use anyhow::Result;

pub(crate) struct Plugin(BoxedCalculator);

pub(crate) fn load(library: &Path) -> Result<Plugin> {
    let root = lib_header_from_path(library)?.init_root_module::<PluginRef>()?;
    Ok(Plugin(root.calculator()()))
}

impl super::Calculator for Plugin {
    fn add(&mut self, a: i32, b: i32) -> Result<i32> {
        Ok(self.0.add(a, b))
    }

    fn greet(&mut self, name: &str) -> Result<String> {
        Ok(self.0.greet(name.into()).into_string())
    }

    fn sum(&mut self, data: &[u8]) -> Result<u64> {
        Ok(self.0.sum(data.into()))
    }
}
