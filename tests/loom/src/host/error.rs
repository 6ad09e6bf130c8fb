//! In place of `error/`: the same types.

pub(crate) use polyplug::error::{RegistryError, RuntimeError};
