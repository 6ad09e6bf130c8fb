//! In place of `loader.rs`: the same trait.

pub(crate) use polyplug::loader::Module;
