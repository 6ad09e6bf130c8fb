//! The modules and plugins of a bundle together.

use std::sync::Arc;

use super::modules::BundleModules;
use super::plugin::Plugin;
use crate::thread::DropAttached;

/// The modules and plugins of one version of a bundle. The module [`engine`](crate::engine)
/// implements the calls.
pub(crate) struct PythonEngine {
    // Before the modules, which look for objects that are left when they are dropped.
    pub(crate) plugins: DropAttached<Vec<Plugin>>,
    pub(crate) modules: Arc<BundleModules>,
}

impl PythonEngine {
    /// Returns the engine of a bundle whose code has run and declared the plugins.
    pub(crate) fn new(modules: Arc<BundleModules>, plugins: Vec<Plugin>) -> Self {
        Self { plugins: DropAttached::new(plugins), modules }
    }
}
