//! The slots that providers of contracts live in.

pub use super::store::runtime_store::RuntimeStore;
