//! Loads polyplug bundles written in Python, and runs them with CPython.
//!
//! ```no_run
//! use polyplug::Runtime;
//! use polyplug_python::PythonLoader;
//!
//! # fn main() -> Result<(), polyplug::error::RuntimeError> {
//! let runtime = Runtime::builder().loader(PythonLoader::new()).build()?;
//! runtime.load_bundle("plugins/calc-python".as_ref())?;
//! # Ok(())
//! # }
//! ```
//!
//! A bundle is a manifest with `loader = "python"` and the file that it names:
//!
//! ```python
//! from polyplug import plugin
//!
//! @plugin("demo.calculator@1")
//! class Calculator:
//!     def add(self, a, b):
//!         return a + b
//! ```
//!
//! All bundles run in one interpreter, which is started with the first. docs/src/python.md tells how plugins are written,
//! what Python makes of the types of contracts, and which Python that is.

mod barrier;
mod bundle;
mod classes;
mod convert;
mod engine;
mod exception;
mod interpreter;
mod loader;
mod lock;
mod names;
mod polyplug_module;
mod protocol;
mod suspended_exception;
mod thread;
mod time_limit;

pub use loader::PythonLoader;
pub use pyo3;
