//! The host's side: loading bundles, finding their plugins, calling them.
//!
//! - [`loader`]: what a bundle is and who can load one.
//! - [`runtime`]: the object a host holds.
//! - [`runtime_store`]: the slots that providers of contracts live in.
//! - [`ffi`]: the same for hosts in other languages.
//! - `signature`: who made a bundle.
//! - `watch`: reloading what changes.
//!
//! Inside, a loaded generation of a bundle is a `version`, one plugin of it a `provider`.

mod abi;
mod api;
mod builder;
mod bundle;
pub mod dynamic;
pub mod engine;
pub mod error;
pub mod ffi;
pub mod host_bridge;
mod host_contract;
pub mod loader;
mod marshal;
mod plugin;
mod plugin_proxy;
mod provide;
pub mod runtime;
pub mod runtime_store;
#[cfg(feature = "signatures")]
pub mod signature;
mod store;
mod version;
#[cfg(feature = "watch")]
pub mod watch;
