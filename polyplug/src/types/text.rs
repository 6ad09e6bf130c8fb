//! Text.

use crate::schema::{TypeRef, Types};
use crate::types::forms::{RawList, RawOption};
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::short;
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

/// Returns bytes as text.
///
/// # Errors
///
/// Fails if the bytes are not UTF-8.
#[inline]
pub fn utf8(bytes: &[u8]) -> Result<&str, LiftError> {
    // Most text is short and ASCII.
    if !is_short_ascii(bytes)
        && let Some(fault) = fault(bytes)
    {
        return Err(fault);
    }
    // SAFETY: ASCII is UTF-8, and `fault` has found nothing that is not.
    Ok(unsafe { std::str::from_utf8_unchecked(bytes) })
}

/// Returns bytes as text of its own. A short text is checked while it is copied.
#[inline]
fn owned(bytes: &[u8]) -> Result<String, LiftError> {
    if bytes.len() > short::SHORT {
        return utf8(bytes).map(str::to_owned);
    }
    let mut copied = Vec::with_capacity(bytes.len());
    // SAFETY: there is room for the bytes, which are copied from other memory.
    let is_ascii = unsafe {
        let is_ascii = short::copy(bytes.as_ptr(), copied.as_mut_ptr(), bytes.len());
        copied.set_len(bytes.len());
        is_ascii
    };
    if !is_ascii && let Some(fault) = fault(&copied) {
        return Err(fault);
    }
    // SAFETY: ASCII is UTF-8, and `fault` has found nothing that is not.
    Ok(unsafe { String::from_utf8_unchecked(copied) })
}

/// Returns whether bytes are ASCII, at most 32 of them.
///
/// They are read in one or two words, or pairs of words, that overlap where the length is between.
#[inline(always)]
fn is_short_ascii(bytes: &[u8]) -> bool {
    const HIGH: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;
    if let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        let ends = u128::from_ne_bytes(*first) | u128::from_ne_bytes(*last);
        return bytes.len() <= 32 && ends & HIGH == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return (u64::from_ne_bytes(*first) | u64::from_ne_bytes(*last)) & HIGH as u64 == 0;
    }
    bytes.is_ascii()
}

/// The bytes of text from which on vector instructions are faster than the standard library's check.
const LONG: usize = 64;

/// Returns the error of bytes that are not UTF-8. A function of its own, so that each place that reads text has the short
/// check alone.
#[inline(never)]
fn fault(bytes: &[u8]) -> Option<LiftError> {
    if bytes.len() >= LONG && simdutf8::basic::from_utf8(bytes).is_ok() {
        return None;
    }
    std::str::from_utf8(bytes).err().map(|e| LiftError::new(format_args!("not UTF-8: {e}")))
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
        owned(unsafe { canon.items() }?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of every length around those at which the check changes, with one byte in every place replaced.
    #[test]
    fn text_is_what_the_standard_library_takes_for_text() {
        let replaced: [&[u8]; 8] = [
            b"",
            b"\x80",
            b"\xff",
            "\u{e9}".as_bytes(),
            "\u{20ac}".as_bytes(),
            "\u{1f600}".as_bytes(),
            b"\xc3",
            b"\xed\xa0\x80",
        ];
        for len in (0..=40).chain(60..=72).chain(126..=132) {
            for part in replaced {
                for at in 0..=len {
                    let mut bytes = vec![b'a'; len];
                    let end = (at + part.len()).min(len);
                    bytes.splice(at..end, part.iter().copied());
                    let (ours, theirs) = (utf8(&bytes), std::str::from_utf8(&bytes));
                    match (ours, theirs) {
                        (Ok(ours), Ok(theirs)) => {
                            assert_eq!(ours, theirs);
                            assert_eq!(owned(&bytes).unwrap(), theirs);
                        }
                        (Err(ours), Err(theirs)) => {
                            let says = format!("not UTF-8: {theirs}");
                            assert_eq!(ours.to_string(), says);
                            assert_eq!(owned(&bytes).unwrap_err().to_string(), says);
                        }
                        (ours, theirs) => panic!("{bytes:?}: {ours:?}, not {theirs:?}"),
                    }
                }
            }
        }
    }
}
