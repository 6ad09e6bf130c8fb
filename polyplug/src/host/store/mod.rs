//! Who serves.

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
