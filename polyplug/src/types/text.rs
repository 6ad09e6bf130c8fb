//! Text.

use crate::schema::{TypeRef, Types};
use crate::types::forms::{RawList, RawOption};
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::ty::Type;

/// The text of a canonical form, checked.
///
/// # Safety
///
/// As for [`RawList::items`].
#[inline]
pub(crate) unsafe fn lift_str<'a>(canon: RawList<u8>) -> Result<&'a str, LiftError> {
    // SAFETY: the caller's promise.
    utf8(unsafe { canon.items() }?)
}

/// See [`utf8`].
const SHORT: usize = 256;

/// Bytes as text.
///
/// # Errors
///
/// They are none.
#[inline]
pub fn utf8(bytes: &[u8]) -> Result<&str, LiftError> {
    // Most text is short and has no other letters, which is seen faster.
    if bytes.len() <= SHORT && bytes.is_ascii() {
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).map_err(|e| LiftError::new(format_args!("not UTF-8: {e}")))
}

// SAFETY: pointer and length of bytes, which are checked on arrival.
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
        // SAFETY: the caller's promise.
        unsafe { lift_str(*canon) }.map(str::to_owned)
    }
}
