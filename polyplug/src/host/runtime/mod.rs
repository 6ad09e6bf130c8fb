//! The object a host holds.

pub(crate) mod bundles;
pub(crate) mod context;
pub(crate) mod dependents;
pub(crate) mod info;
pub(crate) mod load;
pub(crate) mod load_dir;
pub(crate) mod loader;
pub(crate) mod lookup;
#[cfg(feature = "watch")]
pub(crate) mod observers;
pub(crate) mod options;
pub(crate) mod prepare_files;
pub(crate) mod reload;
pub(crate) mod requirements;
pub(crate) mod runtime;
pub(crate) mod staging;
pub(crate) mod time_limit;
pub(crate) mod unload;

pub use info::{BundleInfo, PluginInfo};
pub use reload::{ReloadPolicy, ReloadReport};
pub use runtime::Runtime;
pub use unload::{Holder, Lingering, UnloadReport};

pub use super::builder::RuntimeBuilder;
pub use super::store::lease::Lease;
pub use super::store::snapshot::Snapshot;
