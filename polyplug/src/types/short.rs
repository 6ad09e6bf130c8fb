//! Copies of short texts and bytes, in pieces that do not overlap.
//!
//! A result is read moments after it was written. The processor passes a value from a store to a load if one store has
//! written all of it; otherwise the load waits until the stores have left the store buffer. `memcpy` copies short memory
//! in two pieces that overlap, so a `memcpy` after a `memcpy` waits. Here a copy of a length is made of the same pieces
//! each time.

/// The length up to which memory is short.
pub(super) const SHORT: usize = 63;

/// Copies `len` bytes, at most [`SHORT`]. Returns whether all of them are ASCII.
///
/// # Safety
///
/// `from` must point to `len` readable bytes, `to` to as many writable ones, and they must not overlap.
#[inline(always)]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) -> bool {
    let (mut at, mut all) = (0, 0u128);
    macro_rules! piece {
        ($ty:ty, $times:literal) => {
            if len & (size_of::<$ty>() * $times) != 0 {
                for _ in 0..$times {
                    // SAFETY: the pieces before this one and this one have `len` bytes together at most, as each is as
                    // large as one bit of `len`.
                    unsafe {
                        let piece = from.add(at).cast::<$ty>().read_unaligned();
                        to.add(at).cast::<$ty>().write_unaligned(piece);
                        all |= u128::from(piece);
                    }
                    at += size_of::<$ty>();
                }
            }
        };
    }
    piece!(u128, 2);
    piece!(u128, 1);
    piece!(u64, 1);
    piece!(u32, 1);
    piece!(u16, 1);
    piece!(u8, 1);
    all & 0x8080_8080_8080_8080_8080_8080_8080_8080 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_copied_and_nothing_else() {
        let from: Vec<u8> = (1..=SHORT as u8).collect();
        for len in 0..=SHORT {
            let mut to = [0; SHORT + 1];
            // SAFETY: both are longer than `len`.
            assert!(unsafe { copy(from.as_ptr(), to.as_mut_ptr(), len) });
            assert_eq!(to[..len], from[..len]);
            assert!(to[len..].iter().all(|byte| *byte == 0), "{len}");
        }
    }

    #[test]
    fn a_byte_that_is_not_ascii_is_seen_wherever_it_is() {
        for len in 1..=SHORT {
            for at in 0..len {
                let (mut from, mut to) = ([b'a'; SHORT], [0; SHORT]);
                from[at] = 0x80;
                // SAFETY: both are at least as long as `len`.
                assert!(!unsafe { copy(from.as_ptr(), to.as_mut_ptr(), len) }, "{at} of {len}");
                assert_eq!(to[..len], from[..len]);
            }
        }
    }
}
