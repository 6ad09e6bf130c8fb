//! In place of `engine.rs`: the part of an engine that concerns its lock.

pub(crate) trait Engine: Send + Sync + Sized + 'static {
    const EXCLUSIVE: bool = true;

    type Object: Send + Sync;

    fn end(&self, object: Self::Object);

    fn memory(&self) -> Option<u64> {
        None
    }
}
