//! The providers that serve, and the leases on them.
//!
//! - [`RuntimeStore`](runtime_store::RuntimeStore): the slots of all providers.
//! - [`View`](view::View): one immutable state of the store.
//! - [`Snapshot`](snapshot::Snapshot): a view that a host holds, for several look-ups that agree.
//! - [`Provider`](provider::Provider): a plugin that serves, with its version.
//! - [`VersionedInstance`](instances::VersionedInstance): an object of one version.
//! - [`InstanceLease`](instances::InstanceLease), [`SharedLease`](instances::SharedLease): the owners of proxies.
//! - [`ForwardingCell`](instances::ForwardingCell): the cell that leads from an instance to its later versions.
//! - [`LeaseRegistry`](instances::LeaseRegistry): the leases on one provider.
//! - [`Lease`](lease::Lease), [`Leases`](lease::Leases): leases on tables, and those of callers of the C ABI.
//! - [`CallTarget`](call_target::CallTarget): an instance in the form that entries expect.
//! - [`EntryTables`](entry_tables::EntryTables): the tables of entries that proxies call.
//!
//! [`publish`] has the steps that make a version serve, replace it or retire it. [`bind`](mod@bind) makes typed
//! proxies.
//!
//! Invariant: a table, an instance or a view that was found stays valid while the reader holds a pin from before the
//! look-up, or a lease.

pub(crate) mod bind;
pub(crate) mod call_target;
pub(crate) mod entry_tables;
pub(crate) mod instances;
pub(crate) mod lease;
pub(crate) mod provider;
pub(crate) mod publish;
pub(crate) mod runtime_store;
pub(crate) mod snapshot;
pub(crate) mod view;
