//! What a version's code is made of.

/// Something a bundle's code needs, or is: a library, an engine. See [`Staging::keep_module`](crate::loader::Staging::keep_module).
pub trait Module: Send + Sync {
    /// Ends it, on a thread that has none of its frames. If its code is there all the same, says why.
    fn close(self: Box<Self>) -> Option<String>;

    /// How many bytes of memory it occupies, where it can tell: for [`Runtime::bundles`].
    fn memory(&self) -> Option<u64> {
        None
    }
}

/// A value that is kept for as long as a version, and then dropped.
pub(crate) struct Kept<T>(pub(crate) T);

impl<T: Send + Sync> Module for Kept<T> {
    fn close(self: Box<Self>) -> Option<String> {
        drop(self.0);
        None
    }
}
