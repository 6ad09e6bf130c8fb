//! The files of a bundle in a pack, which its modules and data are read from.

use polyplug::loader::{Files, PROGRAM_LIMIT};
use pyo3::exceptions::{PyImportError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::thread;

/// The object from which the prelude's `PackFiles` reads. It keeps the pack in memory.
#[pyclass(frozen)]
pub(crate) struct PackedFiles(Files);

impl PackedFiles {
    pub(crate) fn new(files: &Files) -> Self {
        Self(files.clone())
    }
}

#[pymethods]
impl PackedFiles {
    /// Returns the names of all files: "package/words.txt".
    fn names(&self) -> PyResult<Vec<String>> {
        let files = self.0.list().map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(files.into_iter().filter_map(|(name, _)| name.into_os_string().into_string().ok()).collect())
    }

    /// Reads a file: read("package/words.txt").
    fn read<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyBytes>> {
        let read = thread::detach(py, || self.0.read(name, "a file", u64::MAX));
        read.map(|data| PyBytes::new(py, &data)).map_err(|error| PyOSError::new_err(error.to_string()))
    }

    /// Reads a file with code of the bundle: read_program("helper.py").
    fn read_program<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyBytes>> {
        let read = thread::detach(py, || self.0.read(name, "a program", PROGRAM_LIMIT));
        read.map(|text| PyBytes::new(py, &text)).map_err(|error| PyImportError::new_err(error.to_string()))
    }
}
