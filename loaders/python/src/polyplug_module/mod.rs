//! The parts of the module `polyplug`, which a bundle's code imports, that are not written in Python.
//!
//! - `config`: the bundle's settings as a `dict`.
//! - `host_functions`: [`HostFunctions`], the functions that reach the host.
//! - `packed_files`: [`PackedFiles`], the files of a bundle in a pack.

mod config;
mod host_functions;
mod packed_files;

pub(crate) use config::config_dict;
pub(crate) use host_functions::HostFunctions;
pub(crate) use packed_files::PackedFiles;
