//! Contracts that the host implements.

pub(crate) mod grants;
pub(crate) mod provided;
pub(crate) mod registry;
