//! In place of `plugin/`: plugins whose code is [`Code`](super::code::Code), and their instances.

pub(crate) mod instance;
pub(crate) mod plugin;
