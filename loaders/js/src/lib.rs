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

// docs/src/design.md lists the modules by their layers.

mod builtin;
mod call;
mod check;
mod class;
mod compile;
mod config;
mod describe;
mod engine;
mod exception;
mod from_js;
mod held;
mod helpers;
mod holding;
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
mod remote_value;
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
