//! The store, with a slot for each provider of a contract.

pub use crate::host::store::runtime_store::RuntimeStore;
