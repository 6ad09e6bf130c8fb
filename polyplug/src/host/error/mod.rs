//! The errors of loading, looking up, reloading and unloading.
//!
//! - [`RuntimeError`]: the failure of a runtime's operation; wraps the three below.
//! - [`ManifestError`]: the fault of a bundle's manifest.
//! - [`FoundInstead`]: what is at a path in place of a bundle.
//! - [`PackError`]: the reason why a pack cannot be read or written.
//! - [`LoaderError`]: the failure of a loader to load a bundle.
//! - [`FileError`]: the reason why a file of a bundle is not read.
//! - [`RegistryError`]: the failure of the store to find, register or change a provider.
//! - [`MissingDependency`], [`MissingHostContract`], [`Unavailable`]: a contract that a bundle needs and does not find.
//! - [`Declared`]: the line of a manifest that declares a contract as needed.
//! - [`Offer`], [`Dependent`]: a bundle that provides, or needs, a contract in another version.
//! - [`CycleStep`]: a bundle of a dependency cycle.
//! - `SignatureError`: the failure of a bundle's signature check, with the feature `signatures`.
//! - `ProxyError`: the failure to make a plugin's proxy, or to call through one.
//!
//! Invariant: every error about a bundle names the bundle, and says what to do.

pub(crate) mod dependency;
pub(crate) mod file;
pub(crate) mod found;
pub(crate) mod loader;
pub(crate) mod manifest;
pub(crate) mod pack;
pub(crate) mod proxy;
pub(crate) mod registry;
pub(crate) mod runtime;
#[cfg(feature = "signatures")]
pub(crate) mod signature;
pub(crate) mod suggest;
pub(crate) mod text;

pub use dependency::{CycleStep, Declared, Dependent, MissingDependency, MissingHostContract, Offer, Unavailable};
pub use file::FileError;
pub use found::FoundInstead;
pub use loader::LoaderError;
pub use manifest::ManifestError;
pub use pack::PackError;
pub use registry::RegistryError;
pub use runtime::RuntimeError;
