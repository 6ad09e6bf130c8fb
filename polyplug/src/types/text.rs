//! Text.

use crate::schema::{TypeRef, Types};
use crate::types::forms::{RawList, RawOption};
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::ty::Type;

/// Lifts text in place, after checking it.
///
/// # Safety
///
/// A pointer that is not null must point at `len` readable bytes that stay unchanged for `'a`.
#[inline]
pub(crate) unsafe fn lift_str<'a>(canon: RawList<u8>) -> Result<&'a str, LiftError> {
    // SAFETY: the bytes are readable and stay unchanged for `'a` (the caller's promise).
    utf8(unsafe { canon.items() }?)
}

/// The most bytes of text that [`utf8`] checks for ASCII first.
const SHORT: usize = 256;

/// Returns bytes as text.
///
/// # Errors
///
/// Fails if the bytes are not UTF-8.
#[inline]
pub fn utf8(bytes: &[u8]) -> Result<&str, LiftError> {
    // Most text is short and ASCII, and the check for ASCII is faster.
    if bytes.len() <= SHORT && bytes.is_ascii() {
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).map_err(|e| LiftError::new(format_args!("not UTF-8: {e}")))
}

// SAFETY: the lowered value is the pointer and length of the bytes, which `lift` checks; `PLAIN` is false.
unsafe impl Type for String {
    type Canon = RawList<u8>;
    type Optional = RawOption<Self::Canon>;
    const POINTS: bool = true;

    fn describe(_: &mut Types) -> TypeRef {
        TypeRef::String
    }

    #[inline]
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> RawList<u8> {
        to.bytes(self.as_bytes())
    }

    #[inline]
    unsafe fn lift(canon: &RawList<u8>, _: Depth) -> Result<Self, LiftError> {
        // SAFETY: the bytes are readable (the caller's promise).
        unsafe { lift_str(*canon) }.map(str::to_owned)
    }
}
