//! Boxes, through which a record or variant may contain itself.

use crate::schema::{TypeRef, Types};
use crate::types::{Depth, LiftError, Lower, OptionalForm, Type};

/// The canonical form of a box: a pointer that is not null; null stands for none in an option.
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

// SAFETY: a pointer that is checked before it is followed.
unsafe impl<T: Type> Type for Box<T> {
    type Canon = RawBox<T::Canon>;
    type Optional = RawBox<T::Canon>;
    const POINTS: bool = true;
    const NEEDS_ROOM: bool = true;

    fn describe(types: &mut Types) -> TypeRef {
        TypeRef::boxed(T::describe(types))
    }

    #[inline]
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon {
        let Some(place) = to.room::<T::Canon>(1) else { return RawBox(std::ptr::null()) };
        to.nested(|to| {
            let canon = (**self).lower(to);
            // SAFETY: `place` is fresh room for one form.
            unsafe { place.write(canon) };
        });
        RawBox(place)
    }

    #[inline]
    unsafe fn lift(canon: &Self::Canon, depth: Depth) -> Result<Self, LiftError> {
        if canon.0.is_null() || !canon.0.is_aligned() {
            return Err(LiftError::pointer("box"));
        }
        // SAFETY: not null and aligned (checked above); readable by the caller's promise.
        unsafe { T::lift(&*canon.0, depth.enter()?) }.map(Self::new)
    }
}
