//! Lowering, which borrows the sender's memory or copies into a call's arena.

use std::fmt;

use polyplug_abi::CallArena;

use crate::types::forms::RawList;
use crate::types::lift::NESTING_LIMIT;
use crate::types::short;

/// A [`Lower`] for arguments: text and plain lists are borrowed in the caller's memory for the duration of the call.
pub type Lend = Lower<false>;

/// A [`Lower`] for results: all data is copied into the caller's arena, because the value itself is about to be
/// dropped.
pub type Give = Lower<true>;

/// The target of lowering, which allocates the data behind pointers.
///
/// The first failure is kept instead of returned at each step; [`finish`](Self::finish) returns it. Lowered values that
/// could not be allocated are empty.
pub struct Lower<const COPY: bool> {
    arena: *mut CallArena,
    depth: u8,
    failure: Option<LowerError>,
}

/// The reason for which a value could not be lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LowerError {
    /// The arena is too small.
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
    /// Makes a target that allocates in `arena`, which may be null if nothing needs to be allocated.
    ///
    /// # Safety
    ///
    /// A non-null `arena` must be a valid arena that nothing else uses while `self` is.
    #[inline]
    #[must_use]
    pub unsafe fn new(arena: *mut CallArena) -> Self {
        Self { arena, depth: 0, failure: None }
    }

    /// Ends lowering.
    ///
    /// # Errors
    ///
    /// Fails with the first failure of an earlier step.
    #[inline]
    pub fn finish(self) -> Result<(), LowerError> {
        match self.failure {
            None => Ok(()),
            Some(failure) => Err(failure),
        }
    }

    /// Allocates memory for `count` values of `T`. Returns `None`, and keeps the failure, if the arena is too small.
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

    /// Lowers bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) -> RawList<u8> {
        self.plain(bytes)
    }

    /// Runs `inner` one level of nesting further in. Returns whether `inner` ran: past the limit it does not run, and
    /// the failure is kept.
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

    /// Borrows or copies a slice whose elements are their own lowered values.
    #[inline]
    pub(super) fn plain<T>(&mut self, items: &[T]) -> RawList<T> {
        if !COPY || items.is_empty() {
            return RawList { ptr: items.as_ptr(), len: items.len() };
        }
        let Some(start) = self.room::<T>(items.len()) else { return RawList::empty() };
        // SAFETY: `room` returned fresh memory for `items.len()` values of `T`; plain values may be copied bytewise.
        unsafe {
            if size_of::<T>() == 1 && items.len() <= short::SHORT {
                short::copy(items.as_ptr().cast(), start.cast(), items.len());
            } else {
                start.copy_from_nonoverlapping(items.as_ptr(), items.len());
            }
        }
        RawList { ptr: start, len: items.len() }
    }
}
