//! Polyplug's `host::engine`, as far as it is checked: an engine's lock, and what ends while the engine is busy.

// What is checked. Not all that is in these files is used.
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/engine/lock.rs"]
pub(crate) mod lock;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/engine/vm.rs"]
pub(crate) mod vm;

/// What of an engine has to do with its lock.
pub(crate) trait Engine: Send + Sync + Sized + 'static {
    const EXCLUSIVE: bool = true;

    type Object: Send + Sync;

    fn end(&self, object: Self::Object);

    fn memory(&self) -> Option<u64> {
        None
    }
}
