//! In place of `error/`: the same types.

pub(crate) mod registry {
    pub(crate) use polyplug::error::RegistryError;
}
pub(crate) mod runtime {
    pub(crate) use polyplug::error::RuntimeError;
}
