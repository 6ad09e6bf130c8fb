//! A plugin framework in which one annotated trait describes the boundary.
//!
//! A trait marked `#[polyplug::contract]` is the single source of truth of a plugin system: plugins implement the
//! trait, hosts call it through a typed proxy, and everything in between is derived from the trait.
//!
//! ```
//! // In a crate that host and plugins share:
//! #[polyplug::contract(name = "demo.calculator", version = "1.0")]
//! pub trait Calculator {
//!     fn add(&self, a: i32, b: i32) -> i32;
//!     fn divide(&self, a: i64, b: i64) -> Result<i64, MathError>;
//! }
//!
//! #[derive(Debug, Clone, PartialEq, polyplug::Type)]
//! pub enum MathError {
//!     DivisionByZero,
//!     Overflow { at: i64 },
//! }
//!
//! // In a plugin crate, whose crate-type is "cdylib":
//! #[derive(Default)]
//! struct Basic;
//!
//! #[polyplug::plugin]
//! impl Calculator for Basic {
//!     fn add(&self, a: i32, b: i32) -> i32 {
//!         a + b
//!     }
//!     fn divide(&self, a: i64, b: i64) -> Result<i64, MathError> {
//!         a.checked_div(b).ok_or(if b == 0 { MathError::DivisionByZero } else { MathError::Overflow { at: a } })
//!     }
//! }
//!
//! // In the host; a plugin in a library of its own is loaded with `runtime.load_bundle(path)`:
//! # #[cfg(feature = "host")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = polyplug::Runtime::builder().build()?;
//! runtime.load_linked_plugins()?;
//! let calculator = runtime.proxy::<dyn Calculator>()?;
//! assert_eq!(calculator.add(2, 3)?, 5);
//! assert_eq!(calculator.divide(1, 0)?, Err(MathError::DivisionByZero));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "host"))]
//! # fn main() {}
//! ```
//!
//! # Features
//!
//! - `host` (default): the runtime that loads and calls plugins, and the module `testing`, which hosts plugins in their
//!   own tests. A plugin crate depends on polyplug with `default-features = false` and compiles a handful of crates.
//! - `config`: `PluginContext::config`, which reads a plugin's settings into a type that the plugin defines. For plugin
//!   crates.
//! - `tracing`, `log`: events of the crates of these names in a plugin go to the host's log. For plugin crates.
//! - `watch`: `Runtime::watch`, which reloads bundles when their files change.
//! - `packs`: the module `pack`, for bundles in one file each.
//! - `signatures`: the module `signature`, for bundles that are loaded only if a trusted key has signed them.

mod call_error;
mod contract;
mod contract_info;
mod debug_text;
mod error_text;
mod frame_arena;
mod guest;
mod proxy;
mod revision;
pub mod schema;
mod sync;
mod truncate;
pub mod types;
mod value;

#[cfg(feature = "host")]
mod host;
#[cfg(feature = "host")]
pub mod testing;

#[doc(hidden)]
pub mod __private;

/// Pins the current thread to the epoch of the collector that the runtime uses: a look-up and its result stay valid
/// until the guard is dropped.
///
/// A pin delays the reclaiming of every unloaded bundle in the process, so hold the guard for a look-up, never for a
/// call that may block.
#[cfg(feature = "host")]
pub use crossbeam_epoch::pin;
pub use polyplug_abi::{BundleId, Compatibility, GuestContractId, HostContractId, LogLevel, Version};
pub use polyplug_macros::{Type, contract, on_unload, plugin};
#[cfg(feature = "host")]
pub use runtime::Runtime;

pub use crate::call_error::{CallError, Callee, Failure};
pub use crate::contract::{Contract, Provides};
#[cfg(feature = "config")]
pub use crate::guest::ConfigError;
pub use crate::guest::{Callback, Migrate, PluginContext, state};
#[cfg(feature = "host")]
pub use crate::host::dynamic;
#[cfg(feature = "host")]
pub use crate::host::engine;
#[cfg(feature = "host")]
pub use crate::host::error;
#[cfg(feature = "host")]
pub use crate::host::ffi;
#[cfg(feature = "host")]
pub use crate::host::host_bridge;
#[cfg(feature = "host")]
pub use crate::host::loader;
#[cfg(feature = "host")]
pub use crate::host::metrics;
#[cfg(feature = "packs")]
pub use crate::host::pack;
#[cfg(feature = "host")]
pub use crate::host::runtime;
#[cfg(feature = "host")]
pub use crate::host::runtime::{BundleRef, Event, EventKind, EventSubscription};
#[cfg(feature = "host")]
pub use crate::host::runtime_store;
#[cfg(feature = "signatures")]
pub use crate::host::signature;
#[cfg(feature = "watch")]
pub use crate::host::watch;
pub use crate::proxy::Proxy;
pub use crate::types::Type;
pub use crate::value::Value;
