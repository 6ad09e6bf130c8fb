//! The slots that providers of contracts live in.

pub use crate::host::store::runtime_store::RuntimeStore;
