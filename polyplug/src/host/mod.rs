//! The host's side: loads bundles, finds their plugins, and calls them.
//!
//! The folders and files are layers, lowest first. Each imports only those above it in this list:
//!
//! - `error/`: one error enum for each subject, and the texts of errors.
//! - `abi/`: the data that crosses the C ABI, and memory for it: arenas, buffers, tables, tokens, the log.
//! - `adapter/`: adapters between two versions of a contract.
//! - `marshal/`: the conversion of values between canonical memory and an engine.
//! - `bundle/`: the files and texts of a bundle: manifest, source, fingerprint, private copy, configuration.
//! - `plugin/`: one plugin: its functions, its schema, its registration.
//! - `version/`: one loaded version of a bundle: code, table, threads, lineage, reclamation.
//! - `signature/`: the check of a bundle's signature: keys, digests, `bundle.sig`, the policy.
//! - `store/`: the providers that serve: slots, look-ups, instances, leases, publication.
//! - `host_contract/`: the contracts that the host implements, and the bundles that may use them.
//! - `plugin_proxy/`: the proxies that plugins have.
//! - `runtime/`: the runtime: loading, reloading, unloading, dependencies, reports.
//! - `api/`, `host_bridge.rs`, `provide.rs`, `dynamic/`, `watch/`: the functions of the host's table, host contracts
//!   from a script or from Rust, calls by name, and the reload of bundles whose files change. None of these imports
//!   another.
//! - `engine/`: the code that loaders of scripting languages share.
//! - `builder.rs`: the builder of runtimes.
//! - `ffi.rs`: the same for hosts in other languages.
//!
//! The faces [`loader`], `pack` and [`runtime_store`] define nothing; each re-exports types of folders that are private.
//!
//! Invariant: an import leads down, and files do not import each other in a circle, except the pairs that the table
//! allows. The test `tests/tests/layers.rs` keeps this order; the table that the test reads is in `docs/src/design.md`.

mod abi;
mod adapter;
mod api;
mod builder;
mod bundle;
pub mod dynamic;
pub mod engine;
pub mod error;
pub mod ffi;
pub mod host_bridge;
mod host_contract;
mod joined_thread;
pub mod loader;
mod marshal;
pub mod metrics;
mod observe;
#[cfg(feature = "packs")]
pub mod pack;
mod plugin;
mod plugin_proxy;
mod provide;
pub mod runtime;
pub mod runtime_store;
#[cfg(feature = "signatures")]
pub mod signature;
mod store;
mod version;
mod waits;
#[cfg(feature = "watch")]
pub mod watch;
