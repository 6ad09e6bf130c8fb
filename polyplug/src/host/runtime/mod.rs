//! The runtime that a host holds, and the operations on its bundles: loading, reloading, unloading, look-ups.
//!
//! - [`Runtime`]: the face over the parts of a runtime.
//! - [`Parts`](runtime::Parts): the parts of a runtime that its builder decides.
//! - [`Bundles`](bundles::Bundles): the bundles by id, with the state of each.
//! - [`Dependents`](dependents::Dependents): the dependencies among bundles.
//! - [`BundleFiles`](prepare_files::BundleFiles): the files of a bundle that is about to be loaded.
//! - [`StartedVersion`](load::StartedVersion): a version whose code runs, before it is published.
//! - [`HostContext`](context::HostContext): the data behind a host table.
//! - [`Staging`](staging::Staging): a bundle that is being loaded, as its loader sees it.
//! - [`BundleLoader`](loader::BundleLoader): a loader of one kind of artifact.
//! - [`Retired`](retired::Retired): the record of a version that no longer serves.
//! - [`Events`](events::Events), [`Observers`](observers::Observers): the callbacks for events and for changes.
//! - [`BundleInfo`], [`PluginInfo`]: descriptions of loaded bundles and their plugins.
//! - [`ReloadReport`], [`UnloadReport`], [`Lingering`], [`Holder`]: the reports of changes.
//!
//! Invariant: one thread at a time changes a bundle, and no lock is held while foreign code runs.

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
