//! The report of a call's failure: an error code, and a text in memory that outlives the call.

use super::arena;
use super::dispatch::CallFrame;
use crate::call_error::message_text;
use crate::guest::write_error_into;

impl CallFrame {
    /// Reports a failure of the call. Copies the text into the arena, or into the buffer that the host keeps for the
    /// thread if the arena has no space.
    ///
    /// # Safety
    ///
    /// The arena must be valid or null, and `out_err` writable or null.
    #[cold]
    pub(crate) unsafe fn fail(self, code: u32, text: &str) {
        let buffer = |len: usize| {
            // SAFETY: the arena is valid or null (guaranteed by the caller).
            let in_arena = unsafe { self.arena.as_mut() }.map_or(std::ptr::null_mut(), |arena| arena.alloc(len, 1));
            if in_arena.is_null() { arena::error_text(len) } else { in_arena }
        };
        // SAFETY: `out_err` is writable or null (guaranteed by the caller); `buffer` returns `len` bytes, or null.
        unsafe { write_error_into(self.out_err, code, text, buffer) };
    }

    /// Copies the message of a call that failed out of the callee's memory. The message may lie in the static memory of
    /// the callee's code, and that code may be unloaded as soon as the callee is released.
    ///
    /// # Safety
    ///
    /// The arena must be valid or null. The call must have returned, `out_err` must point to a writable, initialised
    /// error, and the callee's code must still be loaded.
    #[inline]
    pub(crate) unsafe fn keep_message(self) {
        // SAFETY: `out_err` points to an initialised error (guaranteed by the caller); a callee that sets a code sets the
        // message as well.
        let failed_with_text = unsafe { (*self.out_err).code != 0 && (*self.out_err).message.len != 0 };
        if failed_with_text {
            // SAFETY: the caller guarantees the same conditions to `keep_message`.
            unsafe { self.copy_message() };
        }
    }

    /// Copies the message that the callee wrote.
    ///
    /// # Safety
    ///
    /// The conditions of [`keep_message`](Self::keep_message) must hold.
    #[cold]
    unsafe fn copy_message(self) {
        // SAFETY: the callee wrote the error, whose message lies in the arena, in the thread's buffer, or in the static
        // memory of code that is still loaded (guaranteed by the caller).
        let (code, text) = unsafe { ((*self.out_err).code, message_text(&*self.out_err)) };
        // SAFETY: the caller guarantees the arena and `out_err`. `text` is a copy, so the arena and the buffer may be
        // written.
        unsafe { self.fail(code, &text) };
    }
}
