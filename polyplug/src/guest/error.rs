//! Errors across the ABI, written with their text.

use polyplug_abi::{AbiError, AbiErrorCode, CallArena, HostApi, StringView};

use crate::error_text::bounded;

/// Reports a failure. Puts the text into `arena` or, if the text does not fit there, into the buffer that the host
/// keeps for the thread.
///
/// # Safety
///
/// `out_err` must be writable or null, `host` and `arena` valid or null.
#[cold]
pub(crate) unsafe fn write_error(
    out_err: *mut AbiError,
    host: *const HostApi,
    arena: *mut CallArena,
    code: AbiErrorCode,
    text: &str,
) {
    let alloc = |len| {
        let mut buffer = std::ptr::null_mut();
        if !arena.is_null() {
            // SAFETY: not null, and valid by the caller's promise.
            buffer = unsafe { (*arena).alloc(len, 1) };
        }
        // An arena that is too small for the result is often too small for the text that says so.
        if buffer.is_null() && !host.is_null() {
            // SAFETY: not null, and valid by the caller's promise.
            buffer = unsafe { ((*host).error_text)(host, len) };
        }
        buffer
    };
    // SAFETY: `out_err` is writable or null (the caller's promise); arenas and hosts return buffers of the length that
    // was asked for (the ABI).
    unsafe { write_error_into(out_err, code as u32, text, alloc) };
}

/// Reports a failure, with its text in the buffer that `alloc` returns. A text that is too long is
/// cut. Without a buffer the error has no text.
///
/// # Safety
///
/// `out_err` must be writable or null. `alloc` must return null, or a buffer that is writable for the number of bytes
/// that it was called with.
pub(crate) unsafe fn write_error_into(
    out_err: *mut AbiError,
    code: u32,
    text: &str,
    alloc: impl FnOnce(usize) -> *mut u8,
) {
    if out_err.is_null() {
        return;
    }
    let text = bounded(text);
    let buffer = if text.is_empty() { std::ptr::null_mut() } else { alloc(text.len()) };
    let mut message = StringView::null();
    if !buffer.is_null() {
        // SAFETY: `alloc` returned a writable buffer of the text's length (the caller's promise).
        unsafe { buffer.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
        message = StringView { ptr: buffer, len: text.len() };
    }
    // SAFETY: not null, and writable by the caller's promise.
    unsafe { out_err.write(AbiError { code, message }) };
}
