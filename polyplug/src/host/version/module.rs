//! The parts of a version's code.

/// A part of a bundle's code, or something that the code needs: a library, an engine. See
/// [`Staging::keep_module`](crate::loader::Staging::keep_module).
pub trait Module: Send + Sync {
    /// Ends the module, on a thread that has none of the module's frames. Returns the reason if the module's code stays
    /// in memory.
    fn close(self: Box<Self>) -> Option<String>;

    /// Returns how many bytes of memory the module occupies, if known: for
    /// [`Runtime::bundles`](crate::Runtime::bundles).
    fn memory(&self) -> Option<u64> {
        None
    }
}

/// A value that is kept until its version is reclaimed, and then dropped.
pub(crate) struct Kept<T>(pub(crate) T);

impl<T: Send + Sync> Module for Kept<T> {
    fn close(self: Box<Self>) -> Option<String> {
        drop(self.0);
        None
    }
}
