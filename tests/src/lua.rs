//! Bundles in Lua, for the tests of the Lua loader alone.

use std::sync::Arc;

use polyplug::loader::BundleSource;
use polyplug::{CallError, Runtime};
use polyplug_lua::LuaLoader;

use crate::manifest;

/// A plugin that runs Lua.
#[polyplug::contract(name = "test.script", version = "1.0")]
pub trait Script {
    /// Runs `code` and returns the result as text.
    fn run(&self, code: &str) -> String;
}

/// A bundle whose plugin implements [`Script`]. The code that the plugin runs gets the instance as its argument.
pub const SCRIPT: &str = r#"
local polyplug = require("polyplug")
local Script = polyplug.plugin("test.script@1")
function Script:run(code)
  local result = assert(load(code, "=code"))(self)
  return tostring(result)
end
"#;

/// Makes a runtime with a loader and a bundle `lua` of this code.
///
/// # Panics
///
/// Panics if the bundle cannot be loaded.
#[must_use]
#[track_caller]
pub fn loaded_by(loader: LuaLoader, code: &str) -> Arc<Runtime> {
    let runtime = lua_runtime(loader);
    load_lua(&runtime, "lua", code);
    runtime
}

/// Makes a runtime with a default loader and a bundle `lua` of this code.
///
/// # Panics
///
/// Panics if the bundle cannot be loaded.
#[must_use]
#[track_caller]
pub fn loaded(code: &str) -> Arc<Runtime> {
    loaded_by(LuaLoader::new(), code)
}

/// Makes a runtime with this loader and the loader for libraries.
///
/// # Panics
///
/// Never panics, because the two loaders have different names.
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
/// Panics if the bundle cannot be loaded.
#[track_caller]
pub fn load_lua(runtime: &Runtime, name: &str, code: &str) {
    try_load_lua(runtime, name, code).unwrap_or_else(|error| panic!("{error}"));
}

/// Loads a bundle of this code.
///
/// # Errors
///
/// Returns the error's text if the bundle cannot be loaded.
pub fn try_load_lua(runtime: &Runtime, name: &str, code: &str) -> Result<(), String> {
    let source = BundleSource::Code(code.to_owned());
    runtime.load_bundle_from(&manifest(name, "lua", "main.lua"), source).map(drop).map_err(|error| error.to_string())
}

/// Returns the error of loading a bundle of this code.
///
/// # Panics
///
/// Panics if the bundle is loaded.
#[must_use]
#[track_caller]
pub fn load_error(code: &str) -> String {
    try_load_lua(&lua_runtime(LuaLoader::new()), "lua", code).expect_err("it is loaded")
}

/// Runs code in the bundle that implements [`Script`].
///
/// # Errors
///
/// Returns the error of the call if the code fails.
///
/// # Panics
///
/// Panics if there is no such bundle.
#[track_caller]
pub fn run(runtime: &Runtime, code: &str) -> Result<String, CallError> {
    runtime.proxy::<dyn Script>().expect("a bundle with the contract").run(code)
}
