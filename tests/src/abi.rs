//! Calling the host's table as a C program would.

use polyplug_abi::{AbiError, HostApi};

/// Returns code and text of the error that `call` writes.
pub fn reported(call: impl FnOnce(*mut AbiError)) -> (u32, String) {
    let mut error = AbiError::ok();
    call(&raw mut error);
    // SAFETY: the host's texts stay until this thread's next call.
    let text = unsafe { error.message.bytes() }.expect("a message is no null with a length");
    (error.code, String::from_utf8(text.to_vec()).expect("the host's errors are UTF-8"))
}

/// Takes the runtime's last error; empty if there is none.
///
/// # Safety
///
/// `host` must be valid.
///
/// # Panics
///
/// If the host's functions contradict each other.
#[must_use]
pub unsafe fn last_error(host: *const HostApi) -> String {
    // SAFETY: valid (the caller's promise).
    let len = unsafe { ((*host).get_error_len)(host) };
    let mut text = vec![0; len];
    // SAFETY: `host` is valid (the caller's promise); the buffer has the stated length.
    let copied = unsafe { ((*host).get_last_error)(host, text.as_mut_ptr(), text.len()) };
    assert_eq!(copied, len, "an error fits into a buffer of its length");
    String::from_utf8(text).expect("the host's errors are UTF-8")
}
