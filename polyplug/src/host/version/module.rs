//! The parts of a version's code.

use std::fmt;
use std::sync::Arc;

use crate::guest::catch;

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
#[derive(Clone, Default)]
pub struct Remains {
    /// The reason why code stays in memory, with its holders as far as they are known.
    pub reason: String,
    /// The names of threads that the code has started and that have not ended.
    pub threads: Vec<String>,
    /// A later measurement, if the loader can make one: see [`Remains::measured_by`].
    again: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Remains {
    /// Adds a function that measures again: it returns whether the code is still in memory.
    /// [`Runtime::retired`](crate::Runtime::retired) calls the function, with no lock held.
    #[must_use]
    pub fn measured_by(self, again: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { again: Some(Arc::new(again)), ..self }
    }

    /// Returns whether the code is still in memory, as far as it can be measured.
    pub(crate) fn are_there(&self) -> bool {
        self.again.as_ref().is_none_or(|again| catch(|| again()).unwrap_or(true))
    }
}

impl From<String> for Remains {
    fn from(reason: String) -> Self {
        Self { reason, ..Self::default() }
    }
}

impl fmt::Debug for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remains").field("reason", &self.reason).field("threads", &self.threads).finish_non_exhaustive()
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
