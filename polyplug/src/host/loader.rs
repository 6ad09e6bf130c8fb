//! The types of a bundle's manifest and source, and the trait of its loaders.

pub use crate::host::bundle::manifest::{Dependency, HostDependency, ManifestData};
pub use crate::host::bundle::source::BundleSource;
pub use crate::host::runtime::loader::BundleLoader;
pub use crate::host::runtime::staging::Staging;
pub use crate::host::version::module::{Module, Remains};
