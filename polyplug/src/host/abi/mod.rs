//! What crosses the C ABI, and memory for it.

pub(crate) mod arena;
pub(crate) mod buffer;
pub(crate) mod dispatch;
pub(crate) mod failure;
pub(crate) mod interface;
pub(crate) mod log;
pub(crate) mod slot_map;
pub(crate) mod table;
