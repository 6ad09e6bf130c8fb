//! How a call reports that it failed.

use super::arena;
use super::dispatch::CallFrame;
use crate::call_error::message_text;
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

    /// Copies the message of a call that failed out of the callee's memory. The message may lie in the static memory of
    /// the callee's code, and that code may be unloaded as soon as the callee is released.
    ///
    /// # Safety
    ///
    /// As for [`fail`](Self::fail). The call must have returned, `out_err` must point to an initialised error, and the
    /// callee's code must still be loaded.
    #[inline]
    pub(crate) unsafe fn keep_message(self) {
        // SAFETY: the caller promises an `out_err` that is not null. Whoever made the frame initialised the error.
        let failed_with_text = unsafe { (*self.out_err).code != 0 && (*self.out_err).message.len != 0 };
        if failed_with_text {
            // SAFETY: the caller's promise.
            unsafe { self.copy_message() };
        }
    }

    #[cold]
    unsafe fn copy_message(self) {
        // SAFETY: the callee wrote the error. Its message lies in the arena, in the thread's buffer, or in the static
        // memory of code that is still loaded.
        let (code, text) = unsafe { ((*self.out_err).code, message_text(&*self.out_err)) };
        // SAFETY: the caller's promise. `text` is a copy, so the arena and the buffer may be written.
        unsafe { self.fail(code, &text) };
    }
}
