//! Loads polyplug bundles written in Python, and runs them with CPython.
//!
//! ```no_run
//! use polyplug::Runtime;
//! use polyplug_python::PythonLoader;
//!
//! # fn main() -> Result<(), polyplug::error::RuntimeError> {
//! let runtime = Runtime::builder().loader(PythonLoader::new()).build()?;
//! runtime.load_bundle("plugins/calc-python")?;
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
//! All bundles run in one interpreter, which the first bundle starts. docs/src/python.md describes plugins in Python,
//! the Python types for the types of contracts, and the choice of the Python.
//!
//! # Modules
//!
//! Lowest first: a module imports only from modules above it in this list. Within a folder, the list in its `mod.rs`
//! has the same order.
//!
//! - `barrier`: an asymmetric memory barrier.
//! - `lock`: locking of mutexes.
//! - `names`: names of contracts as Python code spells them.
//! - `suspended_exception`: a raised exception that is suspended while other code runs.
//! - `thread`: attaching, detaching, interrupting and the shutdown of threads.
//! - `interpreter`: the one interpreter of the process, and the prelude, which is written in Python.
//! - `exception`: exceptions as faults, and faults as exceptions.
//! - `time_limit`: the limit of the time that calls may take.
//! - `classes`: Python classes for the types of contracts.
//! - `bundle`: one version of a bundle in the interpreter.
//! - `convert`: conversion of values between Python and canonical memory.
//! - `polyplug_module`: the parts of the module `polyplug` that are not written in Python.
//! - `engine`: the calls of the runtime into a bundle.
//! - `protocol`: the low-level protocol.
//! - `loader`: [`PythonLoader`].

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
