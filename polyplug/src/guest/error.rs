//! Putting errors where the other side finds them.

use polyplug_abi::{AbiError, AbiErrorCode, CallArena, HostApi, StringView};

/// Reports a failure: the text goes into `arena`, or, where that has no room, into the buffer that the host keeps for the
/// thread.
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
    let room = |len| {
        let mut place = std::ptr::null_mut();
        if !arena.is_null() {
            // SAFETY: not null, and valid by the caller's promise.
            place = unsafe { (*arena).alloc(len, 1) };
        }
        // An arena that is too small for the result is often too small for the text that says so.
        if place.is_null() && !host.is_null() {
            // SAFETY: not null, and valid by the caller's promise.
            place = unsafe { ((*host).error_text)(host, len) };
        }
        place
    };
    // SAFETY: the caller's promise; what arenas and hosts give has the length that was asked for.
    unsafe { write_error_into(out_err, code as u32, text, room) };
}

/// Reports a failure, its text where `room` finds a place for it. Without one, the error goes without text.
///
/// # Safety
///
/// `out_err` must be writable or null; what `room` returns must be writable for as many bytes as it was asked for, or
/// null.
pub(crate) unsafe fn write_error_into(
    out_err: *mut AbiError,
    code: u32,
    text: &str,
    room: impl FnOnce(usize) -> *mut u8,
) {
    if out_err.is_null() {
        return;
    }
    let place = if text.is_empty() { std::ptr::null_mut() } else { room(text.len()) };
    let mut message = StringView::null();
    if !place.is_null() {
        // SAFETY: `place` has room for the text.
        unsafe { place.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
        message = StringView { ptr: place, len: text.len() };
    }
    // SAFETY: not null, and writable by the caller's promise.
    unsafe { out_err.write(AbiError { code, message }) };
}
