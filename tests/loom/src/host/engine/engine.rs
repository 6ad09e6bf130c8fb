//! In place of `engine.rs`: what of an engine has to do with its lock.

pub(crate) trait Engine: Send + Sync + Sized + 'static {
    const EXCLUSIVE: bool = true;

    type Object: Send + Sync;

    fn end(&self, object: Self::Object);

    fn memory(&self) -> Option<u64> {
        None
    }
}
