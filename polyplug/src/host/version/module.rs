//! The parts of a version's code.

/// A part of a bundle's code, or something that the code needs: a library, an engine. See
/// [`Staging::keep_module`](crate::loader::Staging::keep_module).
pub trait Module: Send + Sync {
    /// Ends the module, on a thread that has none of the module's frames. Returns `None` if the module's code has left
    /// the process, and otherwise what remains of it.
    ///
    /// The answer is a measurement that is made after the end, with the means of the loader's platform or engine: whether
    /// the addresses of a library are still mapped, whether objects of a bundle are still alive, whether an allocator has
    /// got back all of its memory. A module that cannot measure says so in [`Remains::reason`]: `None` is never a guess.
    fn close(self: Box<Self>) -> Option<Remains>;

    /// Returns how many bytes of memory the module occupies, if known: for
    /// [`Runtime::bundles`](crate::Runtime::bundles).
    fn memory(&self) -> Option<u64> {
        None
    }
}

/// What remains of a module that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remains {
    /// The reason why code stays in memory, with its holders as far as they are known.
    pub reason: String,
    /// The names of threads that the code has started and that have not ended.
    pub threads: Vec<String>,
}

impl From<String> for Remains {
    fn from(reason: String) -> Self {
        Self { reason, threads: Vec::new() }
    }
}

/// A value that is kept until its version is reclaimed, and then dropped.
pub(crate) struct Kept<T>(pub(crate) T);

impl<T: Send + Sync> Module for Kept<T> {
    fn close(self: Box<Self>) -> Option<Remains> {
        drop(self.0);
        None
    }
}
