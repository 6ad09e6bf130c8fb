//! Loads polyplug bundles written in Lua, and runs them with LuaJIT.
//!
//! ```no_run
//! use polyplug::Runtime;
//! use polyplug_lua::LuaLoader;
//!
//! # fn main() -> Result<(), polyplug::error::RuntimeError> {
//! let runtime = Runtime::builder().loader(LuaLoader::new()).build()?;
//! runtime.load_bundle("plugins/calc-lua")?;
//! # Ok(())
//! # }
//! ```
//!
//! A bundle is a manifest with `loader = "lua"` and the file that the manifest names:
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
//! Each bundle has a virtual machine (VM) of its own. docs/src/lua.md describes how plugins are written, and which Lua
//! values stand for the types of contracts.
//!
//! With [`bridge`], a host implements host contracts in Lua.

// The modules, lowest first. A module uses modules of the layers below its own, and none of its own layer.
//
// 0  text           text on the stack, descriptions of values for errors
//    registry       references to Lua values
//    userdata       userdata that owns a Rust value
//    stdlib         the choice of the standard library's part
//    memory_limit   the allocator of a VM with a memory limit
//    chunk          names of chunks
//    counted        programs that count their steps
// 1  program        compilation of Lua text
//    prepared       a contract with its names as Lua strings
//    class          a plugin that a bundle's code has declared
// 2  time_limit     the end of calls whose time is up
//    remote         host contracts, peers and objects as userdata
//    types          makers of the values of a contract's types
// 3  state          a VM and the data that C functions find from it
// 4  int64          integers as Lua values
//    raise          errors that C functions raise
//    sandbox        the standard library of a bundle
//    stack          the stack of a Lua thread, for values of a contract
//    vm             a VM with the code of a bundle's plugins
// 5  catch          errors of protected calls, as faults
//    config         a bundle's settings as a table
//    require        the function `require`
//    to_lua         values of contracts to Lua values
//    from_lua       Lua values to values of contracts
//    remote_call    calls by Lua code
//    bridge         host contracts in Lua
// 6  protect        protected calls
//    module         the module `polyplug`
// 7  call           calls by the runtime
//    start          the first run of a bundle's code
// 8  engine         the engine as the runtime uses it
//    loader         the loader
//
// Two phrases of `# Safety` sections have a fixed meaning here:
//
// - A Lua state is *valid* if it is a thread of a VM that is not closed, and no other thread of the operating system
//   uses the VM. The runtime sees to the second: it calls an exclusive engine from one thread at a time.
// - Code is *in a protected call* if, in addition, `lua_pcall` or `lua_cpcall` is below it on the stack, so that an
//   error of Lua's ends there. Lua calls every C function in this way. Such an error may end the process outside of
//   one. In a protected call a Lua state is valid, and its stack has room for a few values.

pub mod bridge;
mod builtin;
mod call;
mod catch;
mod chunk;
mod class;
mod config;
mod counted;
mod engine;
mod from_lua;
mod harmless;
mod int64;
mod loader;
mod memory_limit;
mod module;
mod output;
mod place;
mod prepared;
mod program;
mod protect;
mod raise;
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
mod types;
mod unload;
mod userdata;
mod vm;

pub use loader::LuaLoader;
pub use mlua;
pub use stdlib::StdLib;
