//! The functions of the module `polyplug` that reach the host.

use std::ffi::OsString;
use std::sync::{Arc, OnceLock, Weak};

use polyplug::engine::{Fault, Guest, ImportedObject, Limits};
use pyo3::exceptions::{PyImportError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::bundle::BundleModules;
use crate::classes::classes_of;
use crate::convert::wrap_remote;
use crate::{exception, interpreter, thread};

/// The object whose methods become the module's functions `host`, `peer`, `types` and `log`.
#[pyclass(frozen)]
pub(crate) struct HostFunctions {
    guest: Arc<Guest>,
    /// The modules of the bundle, which hold this object.
    modules: OnceLock<Weak<BundleModules>>,
}

impl HostFunctions {
    pub(crate) fn new(guest: &Arc<Guest>) -> Self {
        Self { guest: Arc::clone(guest), modules: OnceLock::new() }
    }

    /// Sets the modules of the bundle, before any code of the bundle runs.
    pub(crate) fn set_modules(&self, modules: &Arc<BundleModules>) {
        let _is_first = self.modules.set(Arc::downgrade(modules));
    }

    /// Opens a remote and returns the Python object that stands for it.
    fn open<'py>(
        &self,
        py: Python<'py>,
        open: impl FnOnce(&Guest) -> Result<ImportedObject, Fault>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // Detached: opening may make an instance of another bundle's plugin.
        let remote = thread::detach(py, || open(&self.guest)).map_err(|fault| exception::not_found(py, fault))?;
        let interpreter = interpreter::current();
        let wrapped = classes_of(py, interpreter, &remote.schema_and_plan())
            .and_then(|classes| wrap_remote(py, interpreter, &self.guest, &classes, remote));
        wrapped.map_err(|fault| exception::from_fault(py, fault))
    }
}

#[pymethods]
impl HostFunctions {
    /// Returns an object with the methods of a host contract: host("demo.logger@1").
    fn host<'py>(&self, py: Python<'py>, contract: &str) -> PyResult<Bound<'py, PyAny>> {
        self.open(py, |guest| guest.host(contract))
    }

    /// Returns an object with the methods of another bundle's plugin: peer("demo.calculator@1").
    fn peer<'py>(&self, py: Python<'py>, contract: &str) -> PyResult<Bound<'py, PyAny>> {
        self.open(py, |guest| guest.peer(contract))
    }

    /// Returns the classes of a contract's types, by their names: types("demo.calculator@1").
    fn types<'py>(&self, py: Python<'py>, contract: &str) -> PyResult<Bound<'py, PyAny>> {
        let known = self.guest.contract(contract);
        let classes = known.and_then(|contract| classes_of(py, interpreter::current(), &contract));
        classes.map(|classes| classes.types.bind(py).clone()).map_err(|fault| exception::from_fault(py, fault))
    }

    /// Reads a file with code of the bundle: read_program("/path/of/the/bundle/helper.py").
    fn read_program<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyBytes>> {
        let read = thread::detach(py, || self.guest.read_program(path, &Limits::default(), 0));
        read.map(|text| PyBytes::new(py, &text)).map_err(|fault| PyImportError::new_err(fault.to_string()))
    }

    /// Raises an error if a file with code of the bundle leads out of the bundle.
    fn check_inside(&self, path: &str) -> PyResult<()> {
        match self.guest.files().map(|files| files.check_inside(self.guest.file_path(path.as_ref()))) {
            Some(Err(error)) => Err(PyImportError::new_err(self.guest.with_own_paths(error.to_string()))),
            _ => Ok(()),
        }
    }

    /// Has a function called before the bundle is unloaded.
    fn on_unload(&self, function: Py<PyAny>) -> PyResult<()> {
        let modules = self.modules.get().and_then(Weak::upgrade);
        let modules = modules.ok_or_else(|| PyRuntimeError::new_err("the bundle is unloaded"))?;
        modules.on_unload(function).map_err(|fault| PyRuntimeError::new_err(fault.to_string()))
    }

    /// Returns a traceback that names the bundle's files by the bundle and their path in its directory.
    fn name_files(&self, traceback: &str) -> String {
        self.guest.name_files(traceback)
    }

    /// Returns the bundle's own directory; `None` for a bundle that is in memory or in a pack.
    fn directory(&self) -> Option<OsString> {
        self.guest.directory().map(|path| path.as_os_str().to_owned())
    }

    /// Returns the folder in which the bundle keeps its data, and makes the folder if it does not exist.
    fn data_directory(&self, py: Python<'_>) -> PyResult<OsString> {
        let made = thread::detach(py, || self.guest.data_directory().map(|path| path.as_os_str().to_owned()));
        made.map_err(|fault| PyOSError::new_err(fault.to_string()))
    }

    /// Returns the path of that folder, which may not exist; `None` if the host gives bundles no such folder.
    fn data_path(&self) -> Option<OsString> {
        self.guest.data_path().map(|path| path.as_os_str().to_owned())
    }

    /// Writes to the host's log: log("info", "ready").
    fn log(&self, py: Python<'_>, level: &str, message: &str) -> PyResult<()> {
        let logged = thread::detach(py, || self.guest.log_at(level, message));
        logged.map_err(|fault| PyValueError::new_err(fault.to_string()))
    }
}
