//! The checked part of polyplug's `host::engine`: an engine's lock, and objects that end while the engine is busy.

pub(crate) mod engine;
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
