//! Where lowered values go.

use std::fmt;

use polyplug_abi::CallArena;

use crate::types::forms::RawList;
use crate::types::lift::NESTING_LIMIT;

/// Lowers arguments: text and plain lists are lent where they lie, for the duration of the call.
pub type Lend = Lower<false>;

/// Lowers results: everything is copied into the caller's arena, for the value itself is about to go.
pub type Give = Lower<true>;

/// The place where what does not fit into a canonical form itself is put.
///
/// A failure is remembered rather than returned at each step; [`finish`](Self::finish) tells. Until then the forms
/// that could not be filled are empty.
pub struct Lower<const COPY: bool> {
    arena: *mut CallArena,
    depth: u8,
    failure: Option<LowerError>,
}

/// Why a value could not be lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LowerError {
    /// The arena has no room left.
    NoRoom,
    /// The value is nested deeper than [`NESTING_LIMIT`].
    TooDeep,
}

impl fmt::Display for LowerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom => f.write_str("the value does not fit into the call's arena"),
            Self::TooDeep => write!(f, "the value is nested deeper than {NESTING_LIMIT} levels"),
        }
    }
}

impl<const COPY: bool> Lower<COPY> {
    /// Lowers into `arena`, which may be null where nothing needs room.
    ///
    /// # Safety
    ///
    /// A non-null `arena` must be a valid arena that nothing else uses while `self` is.
    #[inline]
    #[must_use]
    pub unsafe fn new(arena: *mut CallArena) -> Self {
        Self { arena, depth: 0, failure: None }
    }

    /// Whether everything found its place.
    ///
    /// # Errors
    ///
    /// The first failure.
    #[inline]
    pub fn finish(self) -> Result<(), LowerError> {
        match self.failure {
            None => Ok(()),
            Some(failure) => Err(failure),
        }
    }

    /// Room for `count` values of `T`; `None` when there is not, which is remembered.
    #[inline]
    pub fn room<T>(&mut self, count: usize) -> Option<*mut T> {
        let start = match count.checked_mul(size_of::<T>()) {
            // SAFETY: not null, and valid and unshared by the promise made to `new`.
            Some(size) if !self.arena.is_null() => unsafe { (*self.arena).alloc(size, align_of::<T>()) },
            _ => std::ptr::null_mut(),
        };
        if start.is_null() {
            self.failure.get_or_insert(LowerError::NoRoom);
            return None;
        }
        Some(start.cast())
    }

    /// The canonical form of bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) -> RawList<u8> {
        self.plain(bytes)
    }

    /// Lowers what lies one level further in; whether that was done. Past the limit it is not, which is remembered.
    #[inline]
    pub fn nested(&mut self, inner: impl FnOnce(&mut Self)) -> bool {
        if self.depth == NESTING_LIMIT {
            self.failure.get_or_insert(LowerError::TooDeep);
            return false;
        }
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        true
    }

    /// Lends or copies a slice that crosses as it is.
    #[inline]
    pub(super) fn plain<T>(&mut self, items: &[T]) -> RawList<T> {
        if !COPY || items.is_empty() {
            return RawList { ptr: items.as_ptr(), len: items.len() };
        }
        let Some(start) = self.room::<T>(items.len()) else { return RawList::empty() };
        // SAFETY: `start` is fresh room for `items.len()` values of `T`; plain values may be copied bytewise.
        unsafe { start.copy_from_nonoverlapping(items.as_ptr(), items.len()) };
        RawList { ptr: start, len: items.len() }
    }
}
