//! The plugin for one contract of a bundle that uses the low-level protocol.

use std::ptr::null_mut;
use std::sync::Arc;

use polyplug::engine::{Fault, LowLevel};
use polyplug_abi::CallArena;
use pyo3::ffi;
use pyo3::prelude::*;

use super::bundle::LowLevelBundle;
use crate::exception;
use crate::thread::{self, Attached, DropAttached};

/// The plugin for one contract.
pub(crate) struct LowLevelPlugin {
    code: DropAttached<PluginCode>,
    bundle: Arc<LowLevelBundle>,
}

/// The callables with which a contract was registered.
pub(super) struct PluginCode {
    pub(super) factory: Py<PyAny>,
    /// The functions, by number.
    pub(super) functions: Vec<Py<PyAny>>,
}

impl LowLevelPlugin {
    pub(super) fn new(bundle: &Arc<LowLevelBundle>, code: PluginCode) -> Self {
        Self { code: DropAttached::new(code), bundle: Arc::clone(bundle) }
    }
}

impl LowLevel for LowLevelPlugin {
    type Instance = Py<PyAny>;

    fn functions(&self) -> usize {
        self.code.functions.len()
    }

    fn create(&self) -> Result<Py<PyAny>, Fault> {
        let host = self.bundle.host_address();
        self.bundle.modules.run(|py| self.code.factory.call1(py, (host,)))
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
        let modules = &self.bundle.modules;
        let timer = modules.start_timer()?;
        let py = attached.py();
        let addresses = [args.expose_provenance(), out.expose_provenance(), arena.expose_provenance()];
        // pyo3 panics if memory for an integer is short. The runtime turns the panic into a fault.
        let [args, out, arena] = addresses.map(|address| {
            let Ok(made) = address.into_pyobject(py);
            made
        });
        let arena_alloc = self.bundle.arena_alloc.as_ptr();
        let mut places = [null_mut(), instance.as_ptr(), args.as_ptr(), out.as_ptr(), arena.as_ptr(), arena_alloc];
        let function = self.code.functions[function].as_ptr();
        // SAFETY: `attached` keeps the thread attached. The five objects belong to variables and fields that outlive
        // the call, and the callee may overwrite the place before them. The function returns a new reference, or null
        // with an exception.
        let result = unsafe {
            let arguments = places.as_mut_ptr().add(1);
            let flags = 5 | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
            let result = ffi::PyObject_Vectorcall(function, arguments, flags, null_mut());
            Bound::from_owned_ptr_or_opt(py, result)
        };
        match result {
            Some(_) => Ok(()),
            None => Err(exception::fetch(|py, raised| modules.fault(py, timer.as_ref(), &raised))),
        }
    }
}
