//! Polyplug's `host`, as far as it is checked, and what it needs around it.

// What is checked. Not all that is in these files is used.
#[allow(dead_code)]
#[path = "../../../../polyplug/src/host/handover.rs"]
mod handover;
#[allow(dead_code)]
#[path = "../../../../polyplug/src/host/instances.rs"]
mod instances;
#[allow(dead_code)]
#[path = "../../../../polyplug/src/host/interface.rs"]
mod interface;
#[allow(dead_code)]
#[path = "../../../../polyplug/src/host/reclaim.rs"]
mod reclaim;
#[allow(dead_code, unreachable_pub)]
#[path = "../../../../polyplug/src/host/runtime_store.rs"]
mod runtime_store;
#[allow(dead_code)]
#[path = "../../../../polyplug/src/host/tokens.rs"]
mod tokens;
#[allow(dead_code)]
#[path = "../../../../polyplug/src/host/version.rs"]
mod version;

// In place of files that are not.
mod context;
mod engine;
pub(crate) mod plugin;
mod provider;
mod runtime;
mod snapshot;
mod threads;

pub mod models;

mod error {
    pub(super) use polyplug::error::{RegistryError, RuntimeError};
}
mod loader {
    pub(super) use polyplug::loader::Module;
}
