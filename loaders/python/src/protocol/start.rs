//! The low-level protocol: bundles that work on canonical memory themselves, by its addresses.
//!
//! Their main file has a function `polyplug_init`. What it returns says which contracts there are, and which functions they
//! have; nothing else of the bundle is looked at. docs/src/python.md tells how such bundles are written.

use std::sync::Arc;

use polyplug::engine::{Declared, Fault};
use polyplug_abi::BundleInitContext;
use pyo3::intern;
use pyo3::prelude::*;

use super::memory::Memory;
use super::plugin::Plugin;
use super::registration;
use crate::bundle::Modules;
use crate::convert::describe;
use crate::thread;

/// What the plugins of a bundle have in common.
pub(super) struct Shared {
    pub(super) modules: Modules,
    /// What `polyplug_init` was given the address of; code may have kept it.
    context: Box<BundleInitContext>,
    /// The function that gives memory for results. Only dropped while the thread is attached.
    pub(super) arena_alloc: Option<Py<PyAny>>,
}

impl Shared {
    pub(super) fn host_address(&self) -> usize {
        self.modules.guest.host_abi().expose_provenance()
    }

    fn context_address(&self) -> usize {
        (&raw const *self.context).expose_provenance()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        thread::drop_attached(self.arena_alloc.take());
    }
}

/// The main module's `polyplug_init`, if it has one.
pub(crate) fn init_of<'py>(
    py: Python<'py>,
    modules: &Modules,
    main: &Bound<'py, PyAny>,
) -> Result<Option<Bound<'py, PyAny>>, Fault> {
    let found = main.getattr_opt(intern!(py, "polyplug_init")).map_err(|raised| modules.fault(py, None, &raised))?;
    match found {
        Some(init) if !init.is_callable() => {
            Err(Fault::new(format_args!("polyplug_init is no function, but {}", describe(&init))))
        }
        found => Ok(found),
    }
}

/// Calls `polyplug_init`; the plugins that it returns.
pub(crate) fn start(
    py: Python<'_>,
    modules: Modules,
    init: &Bound<'_, PyAny>,
) -> Result<Vec<(Declared, Plugin)>, Fault> {
    let context = Box::new(modules.guest.init_context());
    let arena_alloc = Memory::function(py, &modules.guest).map_err(|raised| modules.fault(py, None, &raised))?;
    let shared = Arc::new(Shared { modules, context, arena_alloc: Some(arena_alloc) });
    let addresses = (shared.host_address(), shared.context_address());
    let returned = shared.modules.timed_run(py, |_| init.call1(addresses))?;
    let registrations = registration::read(&returned)?;
    let plugins = registrations.into_iter().map(|registration| {
        let (declared, code) = registration.split();
        (declared, Plugin::new(&shared, code))
    });
    Ok(plugins.collect())
}
