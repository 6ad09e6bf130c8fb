//! Loads polyplug bundles written in Lua, and runs them with LuaJIT.
//!
//! ```no_run
//! use polyplug::Runtime;
//! use polyplug_lua::LuaLoader;
//!
//! # fn main() -> Result<(), polyplug::error::RuntimeError> {
//! let runtime = Runtime::builder().loader(LuaLoader::new()).build()?;
//! runtime.load_bundle("plugins/calc-lua".as_ref())?;
//! # Ok(())
//! # }
//! ```
//!
//! A bundle is a manifest with `loader = "lua"` and the file that it names:
//!
//! ```lua
//! local polyplug = require("polyplug")
//!
//! local Calculator = polyplug.plugin("demo.calculator@1")
//!
//! function Calculator:add(a, b)
//!   return a + b
//! end
//! ```
//!
//! Each bundle has a virtual machine of its own. docs/src/lua.md tells how plugins are written, and what Lua makes of the
//! types of contracts.
//!
//! The other way around, [`bridge`] lets a host implement host contracts in Lua.

pub mod bridge;
mod call;
mod class;
mod engine;
mod error;
mod from_lua;
mod int64;
mod loader;
mod memory_limit;
mod module;
mod prepared;
mod program;
mod protect;
mod registry;
mod remote;
mod remote_call;
mod require;
mod sandbox;
mod stack;
mod start;
mod state;
mod stdlib;
mod text;
mod time_limit;
mod to_lua;
mod userdata;
mod vm;

pub use loader::LuaLoader;
pub use mlua;
pub use stdlib::StdLib;
