//! A bundle's modules in the interpreter: the object that finds and runs them is written in Python.

use std::sync::Arc;

use polyplug::engine::{Declared, Guest};
use pyo3::intern;
use pyo3::prelude::*;

use crate::engine::{Plugin, Source};
use crate::interpreter::Interpreter;
use crate::native::{Native, settings};

/// The object for a bundle, none of whose code has run.
pub(crate) fn make<'py>(
    py: Python<'py>,
    interpreter: &Interpreter,
    guest: &Arc<Guest>,
    source: &Source,
) -> PyResult<Bound<'py, PyAny>> {
    let native = Py::new(py, Native::new(guest))?;
    let environment = match &source.venv {
        Some(folder) => Some(interpreter.prelude.environment.bind(py).call1((folder,))?),
        None => None,
    };
    let (directory, origin) = source.directory.clone().unzip();
    let config = settings(py, guest.config())?;
    let arguments = (native, guest.bundle(), directory, origin, &source.folders, config, environment);
    interpreter.prelude.bundle.bind(py).call1(arguments)
}

/// The plugins that the bundle's code has declared.
pub(crate) fn declared(bundle: &Bound<'_, PyAny>) -> PyResult<Vec<(Plugin, Declared)>> {
    let all: Vec<Bound<'_, PyAny>> = bundle.getattr(intern!(bundle.py(), "declared"))?.extract()?;
    all.iter().map(one).collect()
}

fn one(declared: &Bound<'_, PyAny>) -> PyResult<(Plugin, Declared)> {
    type Parts = (String, Option<String>, bool, Vec<String>, bool, String, Py<PyAny>, bool);
    let (contract, name, is_singleton, methods, keeps_state, place, class, takes_context): Parts =
        declared.extract()?;
    let plugin = Plugin::new(class, takes_context);
    Ok((plugin, Declared { contract, name, methods, is_singleton, keeps_state, place: Some(place) }))
}
