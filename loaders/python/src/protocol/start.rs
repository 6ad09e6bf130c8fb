//! The start of a bundle that uses the low-level protocol.

use std::sync::Arc;

use polyplug::engine::{Fault, PluginDecl};
use pyo3::intern;
use pyo3::prelude::*;

use super::bundle::LowLevelBundle;
use super::plugin::LowLevelPlugin;
use super::registration::read_registrations;
use crate::bundle::BundleModules;
use crate::convert::describe_value;

/// Returns the function `polyplug_init` of the main module; `None` if the module does not have that name.
pub(crate) fn find_init<'py>(
    py: Python<'py>,
    modules: &BundleModules,
    main: &Bound<'py, PyAny>,
) -> Result<Option<Bound<'py, PyAny>>, Fault> {
    let found = main.getattr_opt(intern!(py, "polyplug_init")).map_err(|raised| modules.fault(py, None, &raised))?;
    match found {
        Some(init) if !init.is_callable() => {
            Err(Fault::new(format_args!("polyplug_init is no function, but {}", describe_value(&init))))
        }
        found => Ok(found),
    }
}

/// Calls `polyplug_init` and returns the plugins that it registers.
pub(crate) fn call_init(
    py: Python<'_>,
    modules: Arc<BundleModules>,
    init: &Bound<'_, PyAny>,
) -> Result<Vec<(PluginDecl, LowLevelPlugin)>, Fault> {
    let bundle = Arc::new(LowLevelBundle::new(py, modules)?);
    let addresses = (bundle.host_address(), bundle.context_address());
    let returned = bundle.modules.run_attached(py, |_| init.call1(addresses))?;
    let registrations = read_registrations(&returned)?;
    let plugins = registrations.into_iter().map(|registration| {
        let (declared, code) = registration.into_parts();
        (declared, LowLevelPlugin::new(&bundle, code))
    });
    Ok(plugins.collect())
}
