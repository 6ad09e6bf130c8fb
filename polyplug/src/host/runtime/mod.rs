//! The runtime that a host holds, and the operations on its bundles: loading, reloading, unloading, look-ups.
//!
//! - [`Runtime`]: the runtime itself, which delegates to the parts below.
//! - [`RuntimeBuilder`]: the builder of a runtime.
//! - [`BundleLimits`]: the most that a bundle's directory may hold.
//! - [`Snapshot`]: all providers at one moment.
//! - [`Lease`]: a lease on one provider.
//! - [`BundleInfo`], [`PluginInfo`], [`Adaptation`]: the descriptions of loaded bundles, their plugins, and the methods that
//!   are called through adapters.
//! - [`ReloadPolicy`]: the policy for instances whose plugin does not save its state.
//! - [`ReloadReport`], [`UnloadReport`]: the reports of a reload and of an unload.
//! - [`DirReport`], [`LoadedBundle`]: the outcome of loading a directory of bundles.
//! - [`Lingering`], [`Holder`]: a retired version that is not reclaimed, and the leases on a version.
//! - [`BundleLoader`](crate::loader::BundleLoader): a loader of one kind of artifact.
//! - [`Staging`](crate::loader::Staging): a bundle that is being loaded, as its loader sees it.
//! - `Parts`: the parts of a runtime that its builder decides.
//! - `Bundles`: the bundles by id, with the state of each.
//! - `Dependents`: the dependencies among bundles.
//! - `BundleFiles`: the files of a bundle that is about to be loaded.
//! - `StartedVersion`: a version whose code was started and that is not published yet.
//! - `HostContext`: the data behind a host table.
//! - `Retired`: the record of a version that no longer serves.
//! - [`Event`], [`EventKind`], [`Operation`]: an event of a bundle.
//! - [`EventSubscription`]: a subscription to events.
//! - [`BundleRef`]: the ways to name a bundle.
//! - `Events`, `Observers`: the subscribers of events, and the observers of changes of bundles.
//!
//! Invariant: one thread at a time changes a bundle, and no lock of this folder is held while a loader's or a bundle's
//! code runs.

pub(crate) mod access;
pub(crate) mod bundles;
pub(crate) mod context;
pub(crate) mod dependents;
pub(crate) mod describe;
pub(crate) mod dir_report;
pub(crate) mod emit;
pub(crate) mod event;
pub(crate) mod events;
pub(crate) mod guard;
pub(crate) mod info;
pub(crate) mod load;
pub(crate) mod load_dir;
pub(crate) mod loader;
pub(crate) mod lookup;
pub(crate) mod observers;
pub(crate) mod options;
pub(crate) mod outside;
pub(crate) mod phases;
pub(crate) mod prepare_files;
pub(crate) mod reload;
pub(crate) mod report;
pub(crate) mod requirements;
pub(crate) mod retired;
pub(crate) mod runtime;
pub(crate) mod staging;
pub(crate) mod time_limit;
pub(crate) mod unload;

pub use dir_report::{DirReport, LoadedBundle};
pub use event::{Event, EventKind, Operation};
pub use events::EventSubscription;
pub use info::{Adaptation, BundleInfo, PluginInfo};
pub use report::{Holder, Lingering, ReloadPolicy, ReloadReport, UnloadReport};
pub use runtime::Runtime;

pub use crate::host::builder::RuntimeBuilder;
pub use crate::host::bundle::limits::BundleLimits;
pub use crate::host::bundle::reference::BundleRef;
pub use crate::host::store::lease::Lease;
pub use crate::host::store::snapshot::Snapshot;
