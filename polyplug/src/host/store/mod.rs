//! Who serves.

pub(crate) mod instances;
pub(crate) mod lease;
pub(crate) mod provider;
pub(crate) mod publish;
pub(crate) mod runtime_store;
pub(crate) mod snapshot;
