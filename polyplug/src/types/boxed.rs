//! Boxes, through which a record or variant may contain itself.

use super::forms::RawBox;
use crate::schema::{TypeRef, Types};
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::ty::Type;

// SAFETY: the lowered value is a pointer, which `lift` checks before it follows it; `PLAIN` is false.
unsafe impl<T: Type> Type for Box<T> {
    type Canon = RawBox<T::Canon>;
    type Optional = RawBox<T::Canon>;
    const POINTS: bool = true;
    const NEEDS_ROOM: bool = true;
    const NEWEST: u64 = T::NEWEST;

    fn describe(types: &mut Types) -> TypeRef {
        TypeRef::boxed(T::describe(types))
    }

    #[inline]
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon {
        let Some(target) = to.room::<T::Canon>(1) else { return RawBox(std::ptr::null()) };
        to.nested(|to| {
            let canon = (**self).lower(to);
            // SAFETY: `room` returned fresh memory for one lowered value.
            unsafe { target.write(canon) };
        });
        RawBox(target)
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
