//! The Python modules of a bundle. The prelude's `Bundle` object finds and runs them.

use std::sync::Arc;

use polyplug::LogLevel;
use polyplug::engine::{Fault, Guest, Limits};
use polyplug::loader::Remains;
use pyo3::intern;
use pyo3::prelude::*;

use crate::interpreter::Interpreter;
use crate::thread::DropAttached;
use crate::time_limit::CallTimer;
use crate::{exception, thread};

/// The modules of one version of a bundle. They are closed when this is dropped.
pub(crate) struct BundleModules {
    pub(crate) interpreter: &'static Interpreter,
    pub(crate) guest: Arc<Guest>,
    limits: Limits,
    /// The prelude's `Bundle` object.
    pub(crate) bundle: Py<PyAny>,
}

impl BundleModules {
    pub(crate) fn new(
        interpreter: &'static Interpreter,
        guest: &Arc<Guest>,
        limits: Limits,
        bundle: Bound<'_, PyAny>,
    ) -> Arc<Self> {
        Arc::new(Self { interpreter, guest: Arc::clone(guest), limits, bundle: bundle.unbind() })
    }

    /// Attaches this thread and runs code of the bundle that is not a call of a method.
    pub(crate) fn run<R>(&self, body: impl FnOnce(Python<'_>) -> PyResult<R>) -> Result<R, Fault> {
        thread::attach(|py| self.run_attached(py, body))
    }

    /// Runs code of the bundle that is not a call of a method.
    pub(crate) fn run_attached<'py, R>(
        &self,
        py: Python<'py>,
        body: impl FnOnce(Python<'py>) -> PyResult<R>,
    ) -> Result<R, Fault> {
        let timer = self.start_timer()?;
        body(py).map_err(|raised| self.fault(py, timer.as_ref(), &raised))
    }

    /// Has a function of the bundle's code called before the bundle is unloaded.
    ///
    /// # Errors
    ///
    /// The bundle is being unloaded already.
    pub(crate) fn on_unload(self: &Arc<Self>, function: Py<PyAny>) -> Result<(), Fault> {
        // The modules end after the function has run.
        let (function, modules) = (DropAttached::new(function), Arc::clone(self));
        self.guest.on_unload(move || {
            // An interpreter that shuts down runs no code any more.
            let outcome = if thread::is_closing() { Ok(()) } else { modules.run(|py| function.call0(py).map(drop)) };
            drop(function); // before the modules, which look for objects that are left when they are dropped
            drop(modules);
            outcome
        })
    }

    /// Starts the timer of a call, if the time of calls is limited. The thread has to be attached.
    #[inline]
    pub(crate) fn start_timer(&self) -> Result<Option<CallTimer>, Fault> {
        match self.limits.time {
            None => Ok(None),
            Some(limit) => CallTimer::start(limit),
        }
    }

    /// Returns an exception that the bundle's code has raised as a fault.
    #[cold]
    pub(crate) fn fault(&self, py: Python<'_>, timer: Option<&CallTimer>, raised: &PyErr) -> Fault {
        if exception::is_time_limit(py, self.interpreter, raised) {
            if timer.is_some_and(CallTimer::is_expired) {
                return self.limits.out_of_time(self.guest.bundle());
            }
            return exception::caller_timed_out();
        }
        exception::to_bundle_fault(py, self.interpreter, &self.bundle, raised)
    }

    /// Returns the fault of a result that cannot be read. Reading may run Python code, which is interrupted when the
    /// time is up.
    #[cold]
    pub(crate) fn result_fault(&self, timer: Option<&CallTimer>, fault: Fault) -> Fault {
        if timer.is_some_and(CallTimer::is_expired) { self.limits.out_of_time(self.guest.bundle()) } else { fault }
    }
}

impl BundleModules {
    /// Ends the bundle: its exit functions, its threads as far as they can be ended, and its modules. Returns what
    /// remains of the code.
    fn close(&self, py: Python<'_>) -> Option<Remains> {
        let bundle = self.bundle.bind(py);
        let log = |fault: &Fault| {
            let fault = self.guest.describe(fault);
            self.guest.log(LogLevel::Error, &format!("the end of the bundle failed: {fault}"));
        };
        if let Err(fault) = self.run_attached(py, |py| bundle.call_method0(intern!(py, "end_activity"))) {
            log(&fault);
        }
        let closed = bundle.call_method0(intern!(py, "close")).and_then(|remains| remains.extract());
        match closed {
            Ok((reason, threads, is_there)) => {
                let (reason, is_there): (Option<String>, Py<PyAny>) = (reason, is_there);
                let is_there = DropAttached::new(is_there);
                let mut remains = Remains::from(reason?);
                remains.threads = threads;
                Some(remains.measured_by(move || is_true(&is_there)))
            }
            Err(raised) => {
                let fault = exception::to_fault(py, raised);
                log(&fault);
                Some(format!("whether its code is gone is not known: {fault}").into())
            }
        }
    }
}

/// Calls a function without arguments that returns a `bool`. Returns `true` if it cannot be called.
fn is_true(function: &Py<PyAny>) -> bool {
    let answer = thread::attach(|py| function.call0(py).and_then(|answer| answer.extract(py)).map_err(Fault::new));
    answer.unwrap_or(true)
}

impl Drop for BundleModules {
    fn drop(&mut self) {
        let measured = thread::attach(|py| Ok(self.close(py)));
        // An interpreter that shuts down ends all modules itself.
        self.guest.record_end(measured.unwrap_or_else(|fault| Some(fault.to_string().into())));
    }
}
