//! The state that the plugins of a bundle share.

use std::sync::Arc;

use polyplug::engine::Fault;
use polyplug_abi::BundleInitContext;
use pyo3::prelude::*;

use super::arena_alloc::arena_alloc;
use crate::bundle::BundleModules;
use crate::thread::DropAttached;

/// A bundle that uses the low-level protocol.
pub(super) struct LowLevelBundle {
    /// The function `arena_alloc`.
    pub(super) arena_alloc: DropAttached<Py<PyAny>>,
    pub(super) modules: Arc<BundleModules>,
    /// The context whose address `polyplug_init` gets. The bundle's code may keep the address.
    context: Box<BundleInitContext>,
}

impl LowLevelBundle {
    pub(super) fn new(py: Python<'_>, modules: Arc<BundleModules>) -> Result<Self, Fault> {
        let context = Box::new(modules.guest.init_context());
        let arena_alloc = arena_alloc(py, &modules.guest).map_err(|raised| modules.fault(py, None, &raised))?;
        Ok(Self { arena_alloc: DropAttached::new(arena_alloc), modules, context })
    }

    pub(super) fn host_address(&self) -> usize {
        self.modules.guest.host_abi().expose_provenance()
    }

    pub(super) fn context_address(&self) -> usize {
        (&raw const *self.context).expose_provenance()
    }
}
