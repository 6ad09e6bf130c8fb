//! What a bundle is, and who can load one.

pub use super::bundle::manifest::{Dependency, HostDependency, ManifestData};
pub use super::bundle::source::BundleSource;
pub use super::runtime::loader::BundleLoader;
pub use super::runtime::staging::Staging;
pub use super::version::module::Module;
