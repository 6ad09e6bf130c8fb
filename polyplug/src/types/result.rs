//! Results, which are an answer or a declared error.

use std::mem::ManuallyDrop;

use super::forms::{RawResult, ResultPayload};
use crate::schema::{TypeRef, Types};
use crate::types::forms::RawOption;
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::ty::Type;

// SAFETY: `lift` checks the tag, and reads each value only under its tag; `PLAIN` is false.
unsafe impl<T: Type, E: Type> Type for Result<T, E> {
    type Canon = RawResult<T::Canon, E::Canon>;
    type Optional = RawOption<Self::Canon>;
    const POINTS: bool = T::POINTS || E::POINTS;
    const NEEDS_ROOM: bool = T::NEEDS_ROOM || E::NEEDS_ROOM;
    const NEWEST: u64 = if T::NEWEST > E::NEWEST { T::NEWEST } else { E::NEWEST };

    fn describe(types: &mut Types) -> TypeRef {
        let ok = T::describe(types);
        TypeRef::result(ok, E::describe(types))
    }

    #[inline]
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon {
        match self {
            Ok(value) => RawResult { tag: 0, payload: ResultPayload { ok: ManuallyDrop::new(value.lower(to)) } },
            Err(error) => RawResult { tag: 1, payload: ResultPayload { err: ManuallyDrop::new(error.lower(to)) } },
        }
    }

    #[inline]
    unsafe fn lift(canon: &Self::Canon, depth: Depth) -> Result<Self, LiftError> {
        match canon.tag {
            // SAFETY: with tag 0 the sender has initialised `ok` (the ABI), and the memory that `ok` points at is
            // readable (the caller's promise).
            0 => unsafe { T::lift(&canon.payload.ok, depth) }.map(Ok).map_err(|e| e.within("ok")),
            // SAFETY: with tag 1 the sender has initialised `err` (the ABI), and the memory that `err` points at is
            // readable (the caller's promise).
            1 => unsafe { E::lift(&canon.payload.err, depth) }.map(Err).map_err(|e| e.within("err")),
            tag => Err(LiftError::tag("result", tag, 2)),
        }
    }
}
