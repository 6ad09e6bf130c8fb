//! The plugin's side of the boundary: the functions that expansions of `#[polyplug::plugin]` call, and the types that
//! plugins use.
//!
//! - [`PluginContext`]: the access of a plugin to its host
//! - [`Callback`]: an object of a contract that its callee may keep
//! - [`Object`], [`Kept`]: a contract whose objects can be lent, and a callback, as arguments
//! - [`Lent`], [`Remote`]: a lent object on its caller's side, and on its callee's side
//! - [`Migrate`], [`Migration`]: a plugin that carries its state over a reload, and its functions for that
//! - [`state`]: state as a value of a type, for `Migrate`
//! - `PluginEntry`: a `#[plugin]`, as the macro describes it
//! - `UnloadEntry`: a function marked `#[on_unload]`, as the macro describes it
//! - `ConfigError`: the error of settings that do not have the expected type
//!
//! Invariant: an unmapped library leaves nothing behind: no thread-local with a destructor, no thread of the library's
//! own, no global that points at a host's data.

#[cfg(feature = "config")]
mod config;
mod context;
mod entry;
mod error;
mod export;
#[cfg(any(feature = "log", feature = "tracing"))]
mod host_log;
mod instance;
#[cfg(feature = "log")]
mod log_records;
mod migrate;
mod object;
mod panic;
mod plugin;
mod proxy;
pub mod state;
mod thread;
#[cfg(feature = "tracing")]
mod tracing_events;
mod unload;

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
pub use unload::{UnloadEntry, UnloadOutcome};
