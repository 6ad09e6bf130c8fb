//! Memory for the arguments or the result of one call.

use std::cell::UnsafeCell;

/// The words of a buffer that needs no memory of the heap. Most methods have arguments and a result of less.
const INLINE: usize = 4;

/// A zeroed buffer, aligned for every canonical layout.
pub(crate) struct AlignedBuffer {
    /// The memory of a small buffer. It is accessed through [`start`](Self::start) only, which the cell allows.
    inline: UnsafeCell<[u128; INLINE]>,
    /// The memory of a larger one.
    large: Option<Large>,
}

struct Large {
    start: *mut u8,
    /// The owner of the memory, which is accessed through `start` only.
    _words: Vec<u128>,
}

impl AlignedBuffer {
    #[inline]
    pub(crate) fn new(size: usize, align: usize) -> Self {
        debug_assert!(align <= align_of::<u128>());
        let large = (size > size_of::<[u128; INLINE]>()).then(|| Large::new(size));
        Self { inline: UnsafeCell::new([0; INLINE]), large }
    }

    /// Returns the start of the memory, which moves with the buffer if it is small.
    #[inline]
    pub(crate) fn start(&self) -> *mut u8 {
        match &self.large {
            Some(large) => large.start,
            None => self.inline.get().cast(),
        }
    }
}

impl Large {
    #[cold]
    fn new(size: usize) -> Self {
        let mut words = vec![0; size.div_ceil(size_of::<u128>())];
        Self { start: words.as_mut_ptr().cast(), _words: words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_of_all_sizes_are_zeroed_aligned_and_written_to() {
        for size in [0, 1, 15, 16, 63, 64, 65, 1000] {
            let buffer = AlignedBuffer::new(size, 16);
            assert_eq!(buffer.start().align_offset(16), 0, "{size}");
            for at in 0..size {
                // SAFETY: the buffer has `size` bytes, and nothing else uses them.
                unsafe {
                    assert_eq!(buffer.start().add(at).read(), 0, "{size}");
                    buffer.start().add(at).write(7);
                }
            }
            let moved = buffer;
            // SAFETY: as above.
            assert!((0..size).all(|at| unsafe { moved.start().add(at).read() } == 7), "{size}");
        }
    }
}
