//! Memory for the arguments or the result of one call.

use std::mem::MaybeUninit;

/// A zeroed buffer, aligned for every canonical layout.
pub(crate) struct AlignedBuffer {
    start: *mut u8,
    /// The owner of the memory, which is accessed through `start` only.
    _words: Vec<MaybeUninit<u128>>,
}

impl AlignedBuffer {
    pub(crate) fn new(size: usize, align: usize) -> Self {
        debug_assert!(align <= align_of::<u128>());
        let mut words = vec![MaybeUninit::zeroed(); size.div_ceil(size_of::<u128>())];
        Self { start: words.as_mut_ptr().cast(), _words: words }
    }

    pub(crate) fn start(&self) -> *mut u8 {
        self.start
    }
}
