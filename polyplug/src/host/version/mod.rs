//! One loaded generation of a bundle.

pub(crate) mod reclaim;
pub(crate) mod threads;
pub(crate) mod version;
