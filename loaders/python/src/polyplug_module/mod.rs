//! The parts of the module `polyplug`, which a bundle's code imports, that are not written in Python.
//!
//! - `config`: the bundle's settings as a `dict`.
//! - `host_functions`: [`HostFunctions`], the functions that reach the host.

mod config;
mod host_functions;

pub(crate) use config::config_dict;
pub(crate) use host_functions::HostFunctions;
