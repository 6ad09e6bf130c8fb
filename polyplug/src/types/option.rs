//! Values that may be absent.

use std::mem::MaybeUninit;

use crate::schema::{TypeRef, Types};
use crate::types::{Depth, LiftError, Lower, Type};

/// The canonical form of an option whose value has the form `C`: a [`RawOption`], or a nullable pointer for a box.
pub trait OptionalForm<C>: Copy {
    /// The form of none.
    fn none() -> Self;

    /// The form of some.
    fn some(value: C) -> Self;

    /// The value's form, if there is one.
    ///
    /// # Errors
    ///
    /// The tag is no option's.
    fn value(&self) -> Result<Option<&C>, LiftError>;
}

/// A tag, and the value where the tag is 1.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawOption<C: Copy> {
    /// 0 for none, 1 for some.
    pub tag: u8,
    /// The value's form; not initialised for none.
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
            // SAFETY: tag 1 says that the sender filled the value in, and every bit pattern of a form is valid.
            1 => Ok(Some(unsafe { self.value.assume_init_ref() })),
            tag => Err(LiftError::tag("option", tag.into(), 2)),
        }
    }
}

// SAFETY: the value's form is read only where the checked form says that there is one.
unsafe impl<T: Type> Type for Option<T> {
    type Canon = T::Optional;
    type Optional = RawOption<T::Optional>;
    const POINTS: bool = T::POINTS;
    const NEEDS_ROOM: bool = T::NEEDS_ROOM;

    fn describe(types: &mut Types) -> TypeRef {
        TypeRef::option(T::describe(types))
    }

    #[inline]
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon {
        match self {
            None => T::Optional::none(),
            Some(value) => T::Optional::some(value.lower(to)),
        }
    }

    #[inline]
    unsafe fn lift(canon: &Self::Canon, depth: Depth) -> Result<Self, LiftError> {
        match canon.value()? {
            None => Ok(None),
            // SAFETY: what the form points at is covered by the caller's promise.
            Some(value) => unsafe { T::lift(value, depth) }.map(Some),
        }
    }
}
