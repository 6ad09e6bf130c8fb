//! The types of a bundle's manifest and source, the trait of its loaders, and the functions with which they read files.

pub use crate::host::bundle::file::{PROGRAM_LIMIT, open_file, read_bundle_file, read_file, real_path};
pub use crate::host::bundle::files::Files;
pub use crate::host::bundle::manifest::{Dependency, HostDependency, ManifestData};
pub use crate::host::bundle::source::BundleSource;
pub use crate::host::bundle::workers::Workers;
pub use crate::host::runtime::loader::BundleLoader;
pub use crate::host::runtime::staging::Staging;
pub use crate::host::version::module::{Module, Remains};
