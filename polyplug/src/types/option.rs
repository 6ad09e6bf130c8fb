//! Values that may be absent.

use super::forms::{OptionalForm, RawOption};
use crate::schema::{TypeRef, Types};
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::ty::Type;

// SAFETY: `lift` checks the tag or pointer, and reads the value only if there is one; `PLAIN` is false.
unsafe impl<T: Type> Type for Option<T> {
    type Canon = T::Optional;
    type Optional = RawOption<T::Optional>;
    const POINTS: bool = T::POINTS;
    const NEEDS_ROOM: bool = T::NEEDS_ROOM;
    const NEWEST: u64 = T::NEWEST;

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
            // SAFETY: the memory that the lowered value points at is readable (the caller's promise).
            Some(value) => unsafe { T::lift(value, depth) }.map(Some),
        }
    }
}
