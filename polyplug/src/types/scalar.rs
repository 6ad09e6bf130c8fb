//! Numbers, `bool`, `char` and unit.

use crate::schema::{TypeRef, Types};
use crate::types::forms::RawOption;
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::ty::Type;

macro_rules! number {
    ($($rust:ty => $name:ident),*) => {$(
        // SAFETY: a number is its own lowered value, and every bit pattern is a number.
        unsafe impl Type for $rust {
            type Canon = $rust;
            type Optional = RawOption<$rust>;
            const PLAIN: bool = true;
            const POINTS: bool = false;

            fn describe(_: &mut Types) -> TypeRef {
                TypeRef::$name
            }

            #[inline(always)]
            fn lower<const COPY: bool>(&self, _: &mut Lower<COPY>) -> $rust {
                *self
            }

            #[inline(always)]
            unsafe fn lift(canon: &$rust, _: Depth) -> Result<Self, LiftError> {
                Ok(*canon)
            }
        }
    )*};
}

number!(
    i8 => I8, i16 => I16, i32 => I32, i64 => I64,
    u8 => U8, u16 => U16, u32 => U32, u64 => U64,
    f32 => F32, f64 => F64
);

// SAFETY: the lowered value is a byte, which `lift` checks. `PLAIN` is false, because most bytes are not a `bool`.
unsafe impl Type for bool {
    type Canon = u8;
    type Optional = RawOption<u8>;
    const POINTS: bool = false;

    fn describe(_: &mut Types) -> TypeRef {
        TypeRef::Bool
    }

    #[inline(always)]
    fn lower<const COPY: bool>(&self, _: &mut Lower<COPY>) -> u8 {
        u8::from(*self)
    }

    #[inline]
    unsafe fn lift(canon: &u8, _: Depth) -> Result<Self, LiftError> {
        match canon {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(LiftError::new(format_args!("{other} is no bool (0 or 1)"))),
        }
    }
}

// SAFETY: the lowered value is the scalar value, which `lift` checks. `PLAIN` is false, because not every number is a
// `char`.
unsafe impl Type for char {
    type Canon = u32;
    type Optional = RawOption<u32>;
    const POINTS: bool = false;

    fn describe(_: &mut Types) -> TypeRef {
        TypeRef::Char
    }

    #[inline(always)]
    fn lower<const COPY: bool>(&self, _: &mut Lower<COPY>) -> u32 {
        u32::from(*self)
    }

    #[inline]
    unsafe fn lift(canon: &u32, _: Depth) -> Result<Self, LiftError> {
        Self::from_u32(*canon).ok_or_else(|| LiftError::new(format_args!("{canon:#x} is no Unicode scalar value")))
    }
}

// SAFETY: the lowered value has no size, so nothing is read.
unsafe impl Type for () {
    type Canon = ();
    type Optional = RawOption<()>;
    const POINTS: bool = false;

    fn describe(_: &mut Types) -> TypeRef {
        TypeRef::Unit
    }

    #[inline(always)]
    fn lower<const COPY: bool>(&self, _: &mut Lower<COPY>) {}

    #[inline(always)]
    unsafe fn lift((): &(), _: Depth) -> Result<Self, LiftError> {
        Ok(())
    }
}
