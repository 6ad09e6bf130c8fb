//! The object a host holds.

pub(crate) mod access;
pub(crate) mod bundles;
pub(crate) mod context;
pub(crate) mod dependents;
pub(crate) mod events;
pub(crate) mod guard;
pub(crate) mod info;
pub(crate) mod load;
pub(crate) mod load_dir;
pub(crate) mod loader;
pub(crate) mod lookup;
pub(crate) mod observers;
pub(crate) mod options;
pub(crate) mod prepare_files;
pub(crate) mod reload;
pub(crate) mod report;
pub(crate) mod requirements;
pub(crate) mod retired;
pub(crate) mod runtime;
pub(crate) mod staging;
pub(crate) mod time_limit;
pub(crate) mod unload;

pub use info::{BundleInfo, PluginInfo};
pub use report::{Holder, Lingering, ReloadPolicy, ReloadReport, UnloadReport};
pub use runtime::Runtime;

pub use crate::host::builder::RuntimeBuilder;
pub use crate::host::store::lease::Lease;
pub use crate::host::store::snapshot::Snapshot;
