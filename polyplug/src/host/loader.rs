//! What a bundle is, and who can load one.

pub use super::bundle::manifest::{Dependency, HostDependency, ManifestData};
pub use super::runtime::loader::{BundleLoader, BundleSource, Module};
pub use super::runtime::staging::Staging;
