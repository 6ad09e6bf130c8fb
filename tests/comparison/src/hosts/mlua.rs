//! Lua by hand with mlua.

use std::path::Path;

use anyhow::Result;
use mlua::{Function, Lua, Table};

pub(crate) struct Plugin {
    add: Function,
    greet: Function,
    sum: Function,
    lua: Lua,
}

pub(crate) fn load(file: &Path) -> Result<Plugin> {
    let lua = Lua::new();
    let calculator: Table = lua.load(file).eval()?;
    Ok(Plugin { add: calculator.get("add")?, greet: calculator.get("greet")?, sum: calculator.get("sum")?, lua })
}

impl super::Calculator for Plugin {
    fn add(&mut self, a: i32, b: i32) -> Result<i32> {
        Ok(self.add.call((a, b))?)
    }

    fn greet(&mut self, name: &str) -> Result<String> {
        Ok(self.greet.call(name)?)
    }

    fn sum(&mut self, data: &[u8]) -> Result<u64> {
        Ok(self.sum.call(self.lua.create_string(data)?)?)
    }
}
