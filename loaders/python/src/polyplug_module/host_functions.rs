//! What the functions of the module `polyplug` do that Python cannot: reach the host.

use std::sync::Arc;

use polyplug::engine::{Fault, Guest, Remote};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::classes::prepared;
use crate::interpreter::Interpreter;
use crate::{convert, exception, interpreter, thread};

/// A bundle's way to its host.
#[pyclass(frozen)]
pub(crate) struct Native {
    guest: Arc<Guest>,
}

impl Native {
    pub(crate) fn new(guest: &Arc<Guest>) -> Self {
        Self { guest: Arc::clone(guest) }
    }

    fn open<'py>(
        &self,
        py: Python<'py>,
        open: impl FnOnce(&Guest) -> Result<Remote, Fault>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // It may start an instance of somebody else's.
        let remote = thread::detach(py, || open(&self.guest)).map_err(|fault| exception::not_found(py, fault))?;
        let interpreter = running();
        let wrapped = prepared(py, interpreter, &remote.schema_and_plan())
            .and_then(|of| convert::wrap(py, interpreter, &self.guest, &of, remote));
        wrapped.map_err(|fault| exception::from_fault(py, fault))
    }
}

fn running() -> &'static Interpreter {
    interpreter::running().expect("code in Python has an interpreter")
}

#[pymethods]
impl Native {
    /// Somebody who has the methods of a host contract: host("demo.logger@1").
    fn host<'py>(&self, py: Python<'py>, contract: &str) -> PyResult<Bound<'py, PyAny>> {
        self.open(py, |guest| guest.host(contract))
    }

    /// Somebody who has the methods of another bundle's plugin: peer("demo.calculator@1").
    fn peer<'py>(&self, py: Python<'py>, contract: &str) -> PyResult<Bound<'py, PyAny>> {
        self.open(py, |guest| guest.peer(contract))
    }

    /// The classes of a contract's types, by their names: types("demo.calculator@1").
    fn types<'py>(&self, py: Python<'py>, contract: &str) -> PyResult<Bound<'py, PyAny>> {
        let known = self.guest.contract(contract).and_then(|contract| prepared(py, running(), &contract));
        known.map(|known| known.types.bind(py).clone()).map_err(|fault| exception::from_fault(py, fault))
    }

    /// Writes to the host's log: log("info", "ready").
    fn log(&self, py: Python<'_>, level: &str, message: &str) -> PyResult<()> {
        let logged = thread::detach(py, || self.guest.log_at(level, message));
        logged.map_err(|fault| PyValueError::new_err(fault.to_string()))
    }
}

/// Settings as Python's own values.
pub(crate) fn settings<'py>(py: Python<'py>, table: &toml::Table) -> PyResult<Bound<'py, PyDict>> {
    let made = PyDict::new(py);
    for (key, value) in table {
        made.set_item(key, setting(py, value)?)?;
    }
    Ok(made)
}

fn setting<'py>(py: Python<'py>, value: &toml::Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        toml::Value::String(text) => text.into_pyobject(py)?.into_any(),
        toml::Value::Integer(number) => number.into_pyobject(py)?.into_any(),
        toml::Value::Float(number) => number.into_pyobject(py)?.into_any(),
        toml::Value::Boolean(flag) => flag.into_pyobject(py)?.to_owned().into_any(),
        toml::Value::Datetime(time) => time.to_string().into_pyobject(py)?.into_any(),
        toml::Value::Table(table) => settings(py, table)?.into_any(),
        toml::Value::Array(items) => {
            let items = items.iter().map(|item| setting(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
    })
}
