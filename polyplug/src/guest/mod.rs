//! The plugin's side: what `#[polyplug::plugin]` expands to calls the functions here.
//!
//! Nothing here may leave anything behind when the library is unmapped: no thread-local with a destructor, no thread, no
//! global that points at a host's data.

mod context;
mod entry;
mod export;
mod instance;
mod panic;
mod plugin;

pub use context::PluginContext;
pub use entry::serve;
pub(crate) use instance::write_error;
pub use instance::{create, create_instance, destroy_instance, make_default};
pub use plugin::{PluginEntry, native_dispatch, package_version, plugin_flags};

#[cfg(feature = "host")]
pub(crate) use export::register_all;
#[cfg(feature = "host")]
pub(crate) use panic::keep_locations;
pub(crate) use panic::{catch, describe_panic};
