//! Polyplug's `host::engine`, as far as it is checked: an engine's lock, and what ends while the engine is busy.

pub(crate) mod engine;
// What is checked. Not all that is in these files is used.
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/engine/lock.rs"]
pub(crate) mod lock;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/engine/vm.rs"]
pub(crate) mod vm;
