//! The loader that manifests call `python`.
//!
//! - `options`: the table `[python]` of a manifest.
//! - `source`: the code of a bundle, and the folders in which its modules are found.
//! - `start`: runs a bundle's main file and reads the plugins that the file declares.
//! - `python_loader`: [`PythonLoader`], the loader as the runtime knows it.

mod options;
mod python_loader;
mod source;
mod start;

pub use python_loader::PythonLoader;
