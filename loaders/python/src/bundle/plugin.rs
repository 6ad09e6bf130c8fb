//! A class that a bundle has declared with `@plugin`.

use std::sync::{Arc, OnceLock};

use pyo3::intern;
use pyo3::prelude::*;

use super::method::PluginMethod;
use super::modules::BundleModules;
use crate::classes::ContractClasses;

/// A class that implements a contract.
pub(crate) struct Plugin {
    pub(crate) class: Py<PyAny>,
    /// The flag that says that `__init__` takes the context.
    takes_context: bool,
    /// The methods, which are set when the runtime prepares the plugin, before the first call.
    methods: OnceLock<PluginMethods>,
}

/// The contract that a plugin implements, and the methods by which it does.
pub(crate) struct PluginMethods {
    pub(crate) classes: Arc<ContractClasses>,
    /// The methods, by number.
    pub(crate) methods: Vec<PluginMethod>,
}

impl Plugin {
    pub(crate) fn new(class: Py<PyAny>, takes_context: bool) -> Self {
        Self { class, takes_context, methods: OnceLock::new() }
    }

    /// Sets the methods; does nothing if they are set.
    pub(crate) fn set_methods(&self, methods: PluginMethods) {
        let _is_set = self.methods.set(methods);
    }

    /// Returns the methods.
    ///
    /// # Panics
    ///
    /// If the runtime has not prepared the plugin.
    #[inline]
    pub(crate) fn methods(&self) -> &PluginMethods {
        self.methods.get().expect("a plugin is prepared before it is used")
    }

    /// Makes an instance.
    pub(crate) fn instantiate(&self, py: Python<'_>, modules: &BundleModules) -> PyResult<Py<PyAny>> {
        if self.takes_context {
            self.class.call1(py, (modules.bundle.getattr(py, intern!(py, "module"))?,))
        } else {
            self.class.call0(py)
        }
    }
}
