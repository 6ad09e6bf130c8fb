//! One loaded generation of a bundle.

pub(crate) mod lineage;
pub(crate) mod module;
pub(crate) mod reclaim;
pub(crate) mod scope;
pub(crate) mod threads;
pub(crate) mod version;
