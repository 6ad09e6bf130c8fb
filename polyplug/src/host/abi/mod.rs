//! What crosses the C ABI, and memory for it.

pub(crate) mod arena;
pub(crate) mod buffer;
pub(crate) mod interface;
pub(crate) mod slot_map;
