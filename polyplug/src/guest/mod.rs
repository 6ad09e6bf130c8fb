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
pub(crate) use error::write_error;
#[cfg(feature = "host")]
pub(crate) use error::write_error_into;
pub use instance::create;
pub use instance::create_instance;
pub use instance::destroy_instance;
pub use instance::make_default;
pub use migrate::Migrate;
pub use migrate::Migration;
pub use migrate::check_health;
pub use plugin::PluginEntry;
pub use plugin::native_dispatch;
pub use plugin::package_version;
pub use plugin::plugin_flags;

#[cfg(feature = "host")]
pub(crate) use export::register_all;
#[cfg(feature = "host")]
pub(crate) use instance::into_raw;
pub use object::Callback;
pub use object::Kept;
pub use object::Lent;
pub use object::Object;
pub use object::Remote;
pub use object::lending;
pub use object::unwind;
pub(crate) use panic::catch;
pub(crate) use panic::describe_panic;
#[cfg(feature = "host")]
pub(crate) use panic::keep_locations;
