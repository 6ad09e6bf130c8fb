//! The host's side: loading bundles, finding their plugins, calling them.
//!
//! - [`loader`]: what a bundle is and who can load one.
//! - [`runtime`]: the object a host holds.
//! - [`runtime_store`]: the slots that providers of contracts live in.
//! - [`ffi`]: the same for hosts in other languages.
//!
//! Inside, a loaded generation of a bundle is a `version`, one plugin of it a `provider`.

mod api;
mod arena;
mod context;
mod described;
pub mod dynamic;
pub mod error;
pub mod ffi;
mod host_contracts;
mod instances;
mod interface;
pub mod loader;
mod private_copy;
mod provider;
mod proxies;
mod reclaim;
pub mod runtime;
pub mod runtime_store;
mod staging;
mod tokens;
mod version;
