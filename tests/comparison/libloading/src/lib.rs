//! The plugin, over C by hand. Panics end the process, as they do not in the others.

use std::mem::ManuallyDrop;

/// Text that this library has allocated.
#[repr(C)]
pub struct Text {
    start: *mut u8,
    len: usize,
    capacity: usize,
}

// SAFETY: no other library of the host exports the name.
#[unsafe(no_mangle)]
pub extern "C" fn calculator_add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

/// Returns whether the name is text, for which a greeting is written to `out`.
///
/// # Safety
///
/// `name` must be `len` readable bytes, and `out` writable.
// SAFETY: no other library of the host exports the name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn calculator_greet(name: *const u8, len: usize, out: *mut Text) -> bool {
    // SAFETY: readable by the caller's promise.
    let Ok(name) = std::str::from_utf8(unsafe { std::slice::from_raw_parts(name, len) }) else { return false };
    let mut text = ManuallyDrop::new(["Hello, ", name, "!"].concat());
    // SAFETY: writable by the caller's promise.
    unsafe { out.write(Text { start: text.as_mut_ptr(), len: text.len(), capacity: text.capacity() }) };
    true
}

/// # Safety
///
/// The text must be from `calculator_greet`, and not be used again.
// SAFETY: no other library of the host exports the name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn calculator_free(text: Text) {
    // SAFETY: the parts of a string that `calculator_greet` has forgotten.
    drop(unsafe { String::from_raw_parts(text.start, text.len, text.capacity) });
}

/// # Safety
///
/// `data` must be `len` readable bytes.
// SAFETY: no other library of the host exports the name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn calculator_sum(data: *const u8, len: usize) -> u64 {
    // SAFETY: readable by the caller's promise.
    unsafe { std::slice::from_raw_parts(data, len) }.iter().map(|byte| u64::from(*byte)).sum()
}
