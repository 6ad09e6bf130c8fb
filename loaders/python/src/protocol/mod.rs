//! The low-level protocol.

mod memory;
mod plugin;
mod registration;
mod start;

pub(crate) use plugin::Plugin;
pub(crate) use start::{init_of, start};
