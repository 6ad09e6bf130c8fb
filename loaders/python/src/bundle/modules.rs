//! A bundle's modules in the interpreter: the object that finds and runs them is written in Python.

use std::sync::Arc;

use polyplug::engine::{Declared, Fault, Guest, Limits};
use pyo3::intern;
use pyo3::prelude::*;

use crate::engine::Plugin;
use crate::interpreter::Interpreter;
use crate::polyplug_module::{Native, settings};
use crate::time_limit::Timed;
use crate::{exception, thread};

/// Where a bundle's code comes from.
pub(crate) struct Source {
    /// The text of the main file.
    pub(crate) text: Vec<u8>,
    /// What it is called.
    pub(crate) file: String,
    /// The folders with the bundle's modules.
    pub(crate) folders: Vec<String>,
    /// The bundle's directory, and the one that people know.
    pub(crate) directory: Option<(String, String)>,
    /// The virtual environment.
    pub(crate) venv: Option<String>,
}

/// The modules of one version of a bundle. They end when this is dropped.
pub(crate) struct Modules {
    pub(crate) interpreter: &'static Interpreter,
    pub(crate) guest: Arc<Guest>,
    limits: Limits,
    /// The object that knows them.
    pub(crate) bundle: Py<PyAny>,
}

impl Modules {
    /// Runs the bundle's main file. Returns its module too.
    pub(crate) fn start<'py>(
        py: Python<'py>,
        interpreter: &'static Interpreter,
        guest: &Arc<Guest>,
        source: Source,
        limits: Limits,
    ) -> Result<(Self, Bound<'py, PyAny>), Fault> {
        let made = make(py, interpreter, guest, &source).map_err(|raised| exception::to_fault(py, raised))?;
        let this = Self { interpreter, guest: Arc::clone(guest), limits, bundle: made.unbind() };
        let run = (source.text, source.file);
        let main = this.timed_run(py, |py| this.bundle.bind(py).call_method1(intern!(py, "run"), run))?;
        Ok((this, main))
    }

    /// The plugins that the bundle's code has declared.
    pub(crate) fn declared(&self, py: Python<'_>) -> Result<Vec<(Plugin, Declared)>, Fault> {
        declared(self.bundle.bind(py)).map_err(|raised| exception::to_fault(py, raised))
    }

    /// Runs code of the bundle's outside of a call of a method.
    pub(crate) fn run<R>(&self, body: impl FnOnce(Python<'_>) -> PyResult<R>) -> Result<R, Fault> {
        thread::attach(|py| self.timed_run(py, body))
    }

    /// The same on a thread that is attached.
    pub(crate) fn timed_run<'py, R>(
        &self,
        py: Python<'py>,
        body: impl FnOnce(Python<'py>) -> PyResult<R>,
    ) -> Result<R, Fault> {
        let timed = self.timed()?;
        body(py).map_err(|raised| self.fault(py, timed.as_ref(), &raised))
    }

    /// Starts the time of a call, where that is limited.
    #[inline]
    pub(crate) fn timed(&self) -> Result<Option<Timed>, Fault> {
        match self.limits.time {
            None => Ok(None),
            Some(limit) => Timed::begin(limit),
        }
    }

    /// An exception of the bundle's code.
    #[cold]
    pub(crate) fn fault(&self, py: Python<'_>, timed: Option<&Timed>, raised: &PyErr) -> Fault {
        if exception::is_time_limit(py, self.interpreter, raised) {
            if timed.is_some_and(Timed::is_over) {
                return self.limits.out_of_time(self.guest.bundle());
            }
            return exception::caller_timed_out();
        }
        exception::to_bundle_fault(py, self.interpreter, &self.bundle, raised)
    }

    /// What is wrong with a result: to read one may run code, which is ended when the time is up.
    #[cold]
    pub(crate) fn unreadable(&self, timed: Option<&Timed>, fault: Fault) -> Fault {
        if timed.is_some_and(Timed::is_over) { self.limits.out_of_time(self.guest.bundle()) } else { fault }
    }
}

impl Drop for Modules {
    fn drop(&mut self) {
        // While the interpreter shuts down, it ends everything itself.
        let _ = thread::attach(|py| {
            let ended = self.bundle.bind(py).call_method0(intern!(py, "close"));
            let collected = ended.and_then(|_| self.interpreter.prelude.collect_garbage.call0(py));
            collected.map(drop).map_err(|raised| {
                tracing::error!(bundle = self.guest.bundle(), %raised, "the end of a bundle in Python failed");
                exception::to_fault(py, raised)
            })
        });
    }
}

/// The object for a bundle, none of whose code has run.
fn make<'py>(
    py: Python<'py>,
    interpreter: &Interpreter,
    guest: &Arc<Guest>,
    source: &Source,
) -> PyResult<Bound<'py, PyAny>> {
    let native = Py::new(py, Native::new(guest))?;
    let environment = match &source.venv {
        Some(folder) => Some(interpreter.prelude.open_environment.bind(py).call1((folder,))?),
        None => None,
    };
    let (directory, origin) = source.directory.clone().unzip();
    let config = settings(py, guest.config())?;
    let arguments = (native, guest.bundle(), directory, origin, &source.folders, config, environment);
    interpreter.prelude.bundle.bind(py).call1(arguments)
}

fn declared(bundle: &Bound<'_, PyAny>) -> PyResult<Vec<(Plugin, Declared)>> {
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
