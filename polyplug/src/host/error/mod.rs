//! Why loading, looking up or unloading failed. Every error about a bundle names it, and says what to do.

pub(crate) mod dependency;
pub(crate) mod loader;
pub(crate) mod manifest;
pub(crate) mod proxy;
pub(crate) mod registry;
pub(crate) mod runtime;
#[cfg(feature = "signatures")]
pub(crate) mod signature;
pub(crate) mod text;

pub use dependency::{CycleStep, Declared, Dependent, MissingDependency, MissingHostContract, Offer, Unavailable};
pub use loader::LoaderError;
pub use manifest::ManifestError;
pub use registry::RegistryError;
pub use runtime::RuntimeError;
