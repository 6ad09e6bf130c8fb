//! Extism. Its calls take bytes and return bytes.

use std::path::Path;

use anyhow::Result;
use extism::{Manifest, Wasm};

pub(crate) struct Plugin(extism::Plugin);

pub(crate) fn load(module: &Path) -> Result<Plugin> {
    Ok(Plugin(extism::Plugin::new(Manifest::new([Wasm::data(std::fs::read(module)?)]), [], false)?))
}

impl super::Calculator for Plugin {
    fn add(&mut self, a: i32, b: i32) -> Result<i32> {
        let mut input = [0; 8];
        input[..4].copy_from_slice(&a.to_le_bytes());
        input[4..].copy_from_slice(&b.to_le_bytes());
        Ok(i32::from_le_bytes(self.0.call::<&[u8], &[u8]>("add", &input)?.try_into()?))
    }

    fn greet(&mut self, name: &str) -> Result<String> {
        self.0.call("greet", name)
    }

    fn sum(&mut self, data: &[u8]) -> Result<u64> {
        Ok(u64::from_le_bytes(self.0.call::<&[u8], &[u8]>("sum", data)?.try_into()?))
    }
}
