//! One contract of a bundle, as the runtime calls it.

use std::ptr::null_mut;
use std::sync::Arc;

use polyplug::engine::{Fault, LowLevel};
use polyplug_abi::CallArena;
use pyo3::ffi;
use pyo3::prelude::*;

use super::start::Shared;
use crate::thread::{self, Attached};

/// The plugin for one contract.
pub(crate) struct Plugin {
    /// Only dropped while the thread is attached.
    code: Option<Code>,
    shared: Arc<Shared>,
}

/// What a registration says of it.
pub(super) struct Code {
    pub(super) factory: Py<PyAny>,
    /// By the numbers of the functions.
    pub(super) functions: Vec<Py<PyAny>>,
}

impl Plugin {
    pub(super) fn new(shared: &Arc<Shared>, code: Code) -> Self {
        Self { code: Some(code), shared: Arc::clone(shared) }
    }

    fn code(&self) -> &Code {
        self.code.as_ref().expect("there until it is dropped")
    }

    /// The exception that there is.
    #[cold]
    fn failed(&self, timed: Option<&crate::time_limit::Timed>) -> Fault {
        // pyo3 has to know that this thread is attached, for what it drops.
        Python::attach(|py| self.shared.modules.fault(py, timed, &PyErr::fetch(py)))
    }
}

impl LowLevel for Plugin {
    type Instance = Py<PyAny>;

    fn functions(&self) -> usize {
        self.code().functions.len()
    }

    fn create(&self) -> Result<Py<PyAny>, Fault> {
        let host = self.shared.host_address();
        self.shared.modules.run(|py| self.code().factory.call1(py, (host,)))
    }

    fn end(&self, instance: Py<PyAny>) {
        thread::drop_attached(instance);
    }

    #[inline]
    fn call(
        &self,
        instance: &Py<PyAny>,
        function: usize,
        args: *const (),
        out: *mut (),
        arena: *mut CallArena,
    ) -> Result<(), Fault> {
        let attached = Attached::enter()?;
        let timed = self.shared.modules.timed()?;
        let py = attached.py();
        let addresses = [args.expose_provenance(), out.expose_provenance(), arena.expose_provenance()];
        // Those that cannot be made, for want of memory, end in a panic, which is a fault too.
        let [args, out, arena] = addresses.map(|address| {
            let Ok(made) = address.into_pyobject(py);
            made
        });
        let arena_alloc = self.shared.arena_alloc.as_ref().expect("there until it is dropped");
        // The first place is the callee's to use.
        let mut places =
            [null_mut(), instance.as_ptr(), args.as_ptr(), out.as_ptr(), arena.as_ptr(), arena_alloc.as_ptr()];
        let function = self.code().functions[function].as_ptr();
        // SAFETY: the thread is attached; five objects that stay during the call, after a place of their own.
        let result = unsafe {
            let arguments = places.as_mut_ptr().add(1);
            ffi::PyObject_Vectorcall(function, arguments, 5 | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET, null_mut())
        };
        // SAFETY: what functions return is the caller's, or null with an exception.
        match unsafe { Bound::from_owned_ptr_or_opt(py, result) } {
            Some(_) => Ok(()),
            None => Err(self.failed(timed.as_ref())),
        }
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        thread::drop_attached(self.code.take());
    }
}
