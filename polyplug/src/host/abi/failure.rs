//! How a call reports that it failed.

use super::arena;
use super::dispatch::CallFrame;
use crate::guest::write_error_into;

impl CallFrame {
    /// Reports a failure of the call. The text is copied into the arena, or, where the arena has no space, into the buffer
    /// that the host keeps for the thread.
    ///
    /// # Safety
    ///
    /// The arena must be valid or null, and `out_err` writable or null.
    #[cold]
    pub(crate) unsafe fn fail(self, code: u32, text: &str) {
        let buffer = |len: usize| {
            // SAFETY: the caller promises an arena that is valid or null.
            let in_arena = unsafe { self.arena.as_mut() }.map_or(std::ptr::null_mut(), |arena| arena.alloc(len, 1));
            if in_arena.is_null() { arena::error_text(len) } else { in_arena }
        };
        // SAFETY: the caller promises `out_err`; arena and thread give buffers of the length that is asked for, or null.
        unsafe { write_error_into(self.out_err, code, text, buffer) };
    }
}
