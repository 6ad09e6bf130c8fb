//! The loader that manifests call `python`.

mod options;
mod python_loader;

pub use python_loader::PythonLoader;
