//! The checked part of polyplug's `host::engine`: an engine's lock, objects that end while the engine
//! is busy, and pools of engines.

pub(crate) mod engine;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/engine/entries.rs"]
pub(crate) mod entries;
// The checked files. Not all of their items are used.
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/engine/lock.rs"]
pub(crate) mod lock;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/engine/places.rs"]
pub(crate) mod places;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/engine/vm.rs"]
pub(crate) mod vm;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/engine/vm_pool.rs"]
pub(crate) mod vm_pool;
