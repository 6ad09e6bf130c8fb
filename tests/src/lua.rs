//! Bundles in Lua, for the tests of what is Lua's own.

use std::sync::Arc;

use polyplug::loader::BundleSource;
use polyplug::{CallError, Runtime};
use polyplug_lua::LuaLoader;

use crate::manifest;

/// Runs Lua.
#[polyplug::contract(name = "test.script", version = "1.0")]
pub trait Script {
    /// Runs `code`, and returns what it returns as text.
    fn run(&self, code: &str) -> String;
}

/// A plugin that implements [`Script`]. Its code has `self`, the instance, as its argument.
pub const SCRIPT: &str = r#"
local polyplug = require("polyplug")
local Script = polyplug.plugin("test.script@1")
function Script:run(code)
  local result = assert(load(code, "=code"))(self)
  return tostring(result)
end
"#;

/// A runtime with this loader and a bundle `lua` of this code.
///
/// # Panics
///
/// If the bundle cannot be loaded.
#[must_use]
#[track_caller]
pub fn loaded_by(loader: LuaLoader, code: &str) -> Arc<Runtime> {
    let runtime = lua_runtime(loader);
    load_lua(&runtime, "lua", code);
    runtime
}

/// As [`loaded_by`], with a loader that is as it comes.
///
/// # Panics
///
/// As for [`loaded_by`].
#[must_use]
#[track_caller]
pub fn loaded(code: &str) -> Arc<Runtime> {
    loaded_by(LuaLoader::new(), code)
}

/// A runtime with this loader and that for libraries.
///
/// # Panics
///
/// Never: the two have different names.
#[must_use]
pub fn lua_runtime(loader: LuaLoader) -> Arc<Runtime> {
    crate::log::listen();
    let builder = Runtime::builder().loader(loader).loader(polyplug_native::NativeLoader::new());
    builder.build().expect("the loaders have different names")
}

/// Loads a bundle of this code.
///
/// # Panics
///
/// If it cannot be loaded.
#[track_caller]
pub fn load_lua(runtime: &Runtime, name: &str, code: &str) {
    try_load_lua(runtime, name, code).unwrap_or_else(|error| panic!("{error}"));
}

/// As [`load_lua`], or why it cannot be loaded.
///
/// # Errors
///
/// It cannot be loaded.
pub fn try_load_lua(runtime: &Runtime, name: &str, code: &str) -> Result<(), String> {
    let source = BundleSource::Code(code.to_owned());
    runtime.load_bundle_from(&manifest(name, "lua", "main.lua"), source).map(drop).map_err(|error| error.to_string())
}

/// Why a bundle of this code cannot be loaded.
///
/// # Panics
///
/// If it can.
#[must_use]
#[track_caller]
pub fn load_error(code: &str) -> String {
    try_load_lua(&lua_runtime(LuaLoader::new()), "lua", code).expect_err("it is loaded")
}

/// Runs code in the bundle that implements [`Script`].
///
/// # Errors
///
/// The code fails.
///
/// # Panics
///
/// If there is no such bundle.
#[track_caller]
pub fn run(runtime: &Runtime, code: &str) -> Result<String, CallError> {
    runtime.proxy::<dyn Script>().expect("a bundle with the contract").run(code)
}
