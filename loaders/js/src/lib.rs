//! Loads polyplug bundles written in JavaScript, and runs them with QuickJS.
//!
//! ```no_run
//! use polyplug::Runtime;
//! use polyplug_js::JsLoader;
//!
//! # fn main() -> Result<(), polyplug::error::RuntimeError> {
//! let runtime = Runtime::builder().loader(JsLoader::new()).build()?;
//! runtime.load_bundle("plugins/calc-js")?;
//! # Ok(())
//! # }
//! ```
//!
//! A bundle is a manifest with `loader = "js"` and the file that the manifest names, an ES module:
//!
//! ```js
//! import { plugin } from "polyplug";
//!
//! plugin("demo.calculator@1", class {
//!   add(a, b) {
//!     return a + b;
//!   }
//! });
//! ```
//!
//! Each bundle has a virtual machine (VM) of its own. docs/src/javascript.md describes how plugins are written, and which
//! JavaScript values stand for the types of contracts.

// The modules, lowest first. A module uses modules of the layers below its own, and of its own layer where they share a
// type.
//
// 0  js             values of a VM, and the operations on them
//    memory         the account of a VM's memory
//    names          names in camelCase
//    stack          the texts by which QuickJS shows calls
//    web            what plugins find in their surroundings: console, timers, text encoding
//    source_map     the places in sources of what compilers made
// 1  builtin        the loader's own programs
//    check          the check whether a text compiles
//    config         a bundle's settings as an object
//    describe       descriptions of values for errors
//    prepared       a contract with its names as names of properties
//    types          the types of a contract, for their makers
//    class          a plugin that a bundle's code has declared
// 2  state          a VM and the data that C functions find from it
//    held           values of the host that errors hold
//    sources        the places in sources, for a bundle
//    helpers        the names and functions that the loader uses
// 3  values         values of a contract in a VM
//    to_js          values of contracts to JavaScript values
//    from_js        JavaScript values to values of contracts
//    exception      exceptions as faults, and faults as exceptions
//    jobs           promises, their jobs and rejections
//    remote         host contracts, peers and objects as JavaScript objects
//    import         the modules of a bundle
//    place          the places of functions
//    unload         functions for the unload
//    module         the native functions of the module `polyplug`
// 4  call           calls by the runtime
//    engine         the engine as the runtime uses it
//    start          the first run of a bundle's code
//    loader         the loader

mod builtin;
mod call;
mod check;
mod class;
mod config;
mod describe;
mod engine;
mod exception;
mod from_js;
mod held;
mod helpers;
mod import;
mod jobs;
mod js;
mod loader;
mod memory;
mod module;
mod names;
mod place;
mod prepared;
mod remote;
mod source_map;
mod sources;
mod stack;
mod start;
mod state;
mod to_js;
mod types;
mod unload;
mod values;
mod web;

pub use loader::JsLoader;
