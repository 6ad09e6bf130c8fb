//! Compiling of source text.

use pyo3::prelude::*;

/// Compiles the source text of a module, a `str` or `bytes`. `file` is the name of the file in errors and tracebacks.
pub(crate) fn compile<'py>(py: Python<'py>, text: impl IntoPyObject<'py>, file: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("builtins")?.getattr("compile")?.call1((text, file, "exec"))
}
