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

mod api;
mod arena;
mod context;
mod described;
pub mod dynamic;
pub mod engine;
pub mod error;
pub mod ffi;
mod fingerprint;
mod grants;
mod handover;
pub mod host_bridge;
mod host_contracts;
mod in_place;
mod instances;
mod interface;
mod lease;
pub mod loader;
mod marshal;
mod plugin_proxies;
mod private_copy;
mod provide;
mod provider;
mod proxies;
mod reclaim;
pub mod runtime;
pub mod runtime_store;
mod settings;
#[cfg(feature = "signatures")]
pub mod signature;
mod snapshot;
mod staging;
mod threads;
mod tokens;
mod unmet;
mod version;
#[cfg(feature = "watch")]
pub mod watch;
