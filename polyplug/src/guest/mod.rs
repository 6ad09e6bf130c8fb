//! The plugin's side: what `#[polyplug::plugin]` expands to calls the functions here.
//!
//! Nothing here may leave anything behind when the library is unmapped: no thread-local with a destructor, no thread, no
//! global that points at a host's data.

#[cfg(feature = "config")]
mod config;
mod context;
mod entry;
mod error;
mod export;
mod instance;
mod migrate;
mod object;
mod panic;
mod plugin;
mod proxy;
mod thread;

#[cfg(feature = "config")]
pub use config::ConfigError;
pub use context::PluginContext;
pub use entry::serve;
#[cfg(feature = "host")]
pub(crate) use error::write_error;
#[cfg(feature = "host")]
pub(crate) use error::write_error_into;
#[cfg(feature = "host")]
pub(crate) use export::register_all;
#[cfg(feature = "host")]
pub(crate) use instance::into_raw;
pub use instance::{create, create_instance, destroy_instance, make_default};
pub use migrate::{Migrate, Migration, check_health};
pub use object::{Callback, Kept, Lent, Object, Remote, lending, unwind};
#[cfg(feature = "host")]
pub(crate) use panic::{catch, describe_panic, keep_locations};
pub use plugin::{PluginEntry, native_dispatch, package_version, plugin_flags};
