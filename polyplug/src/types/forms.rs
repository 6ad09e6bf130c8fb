//! The canonical layouts that generic types share.

use std::mem::{ManuallyDrop, MaybeUninit};

use crate::types::lift::LiftError;

/// The canonical layout of a list, of text and of bytes.
#[repr(C)]
#[derive(Debug)]
pub struct RawList<T> {
    /// The first element; any pointer if `len` is 0.
    pub ptr: *const T,
    /// The number of elements.
    pub len: usize,
}

impl<T> Clone for RawList<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for RawList<T> {}

impl<T> RawList<T> {
    /// Makes a list without elements.
    #[must_use]
    pub const fn empty() -> Self {
        Self { ptr: std::ptr::null(), len: 0 }
    }

    /// Returns the elements, after every check that can be made without reading them.
    ///
    /// # Errors
    ///
    /// Fails if the list is not empty and its pointer is null or misaligned, or if its length exceeds the address
    /// space.
    ///
    /// # Safety
    ///
    /// A pointer that is not null must point at `len` readable elements that stay unchanged for `'a`.
    #[inline]
    pub unsafe fn items<'a>(self) -> Result<&'a [T], LiftError> {
        if self.len == 0 {
            return Ok(&[]);
        }
        if self.ptr.is_null() || !self.ptr.is_aligned() {
            return Err(LiftError::pointer("list"));
        }
        if self.len > isize::MAX as usize / size_of::<T>().max(1) {
            return Err(LiftError::new(format_args!("a list of {} elements cannot exist", self.len)));
        }
        // SAFETY: not null, aligned and of a legal size (checked above); readable for `'a` (the caller's promise).
        Ok(unsafe { std::slice::from_raw_parts(self.ptr, self.len) })
    }
}

/// The canonical layout of an option whose lowered value is a `C`: a [`RawOption`], or a nullable pointer for a box.
pub trait OptionalForm<C>: Copy {
    /// Makes an option without a value.
    fn none() -> Self;

    /// Makes an option with a value.
    fn some(value: C) -> Self;

    /// Returns the lowered value, or `None` if the option has no value.
    ///
    /// # Errors
    ///
    /// Fails if the tag is neither 0 nor 1.
    fn value(&self) -> Result<Option<&C>, LiftError>;
}

/// The canonical layout of an option: a tag, and the value if the tag is 1.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawOption<C: Copy> {
    /// 0 for none, 1 for some.
    pub tag: u8,
    /// The lowered value; not initialised for none.
    pub value: MaybeUninit<C>,
}

impl<C: Copy> OptionalForm<C> for RawOption<C> {
    #[inline]
    fn none() -> Self {
        Self { tag: 0, value: MaybeUninit::zeroed() }
    }

    #[inline]
    fn some(value: C) -> Self {
        Self { tag: 1, value: MaybeUninit::new(value) }
    }

    #[inline]
    fn value(&self) -> Result<Option<&C>, LiftError> {
        match self.tag {
            0 => Ok(None),
            // SAFETY: with tag 1 the sender has initialised the value (the ABI), and every bit pattern of a `Canon` is
            // valid.
            1 => Ok(Some(unsafe { self.value.assume_init_ref() })),
            tag => Err(LiftError::tag("option", tag.into(), 2)),
        }
    }
}

/// The canonical layout of a box: a pointer that is not null. In an option, null stands for none.
#[repr(transparent)]
pub struct RawBox<C>(pub *const C);

impl<C> Clone for RawBox<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for RawBox<C> {}

impl<C> OptionalForm<RawBox<C>> for RawBox<C> {
    #[inline]
    fn none() -> Self {
        Self(std::ptr::null())
    }

    #[inline]
    fn some(value: Self) -> Self {
        value
    }

    #[inline]
    fn value(&self) -> Result<Option<&Self>, LiftError> {
        Ok(if self.0.is_null() { None } else { Some(self) })
    }
}

/// The canonical layout of `Result<T, E>`: a variant of two cases.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawResult<T: Copy, E: Copy> {
    /// 0 for ok, 1 for err.
    pub tag: u32,
    /// The case's value.
    pub payload: ResultPayload<T, E>,
}

/// The value of one of the two cases of a [`RawResult`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union ResultPayload<T: Copy, E: Copy> {
    /// The value under tag 0.
    pub ok: ManuallyDrop<T>,
    /// The value under tag 1.
    pub err: ManuallyDrop<E>,
}
