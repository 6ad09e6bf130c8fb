//! What the host remembers and writes down.

use polyplug_abi::{HostApi, LogLevel, StringView};

use crate::host::abi::log::write_log;
use crate::host::runtime::context::HostContext;

// SAFETY (for every function here): called through the table as `HostApi` documents, so `host` is null or a valid table
// of ours, and the other pointers are null or lead to memory of their types.

pub(crate) unsafe extern "C" fn get_last_error(host: *const HostApi, buf: *mut u8, len: usize) -> usize {
    // SAFETY: as above.
    let runtime = unsafe { HostContext::of(host) }.and_then(HostContext::runtime);
    let Some(runtime) = runtime.filter(|_| !buf.is_null() && len > 0) else { return 0 };
    let text = runtime.take_error();
    // Cut where a letter ends, so that what arrives is text.
    let fits = (0..=len.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    // SAFETY: the caller offers `len` bytes.
    unsafe { buf.copy_from_nonoverlapping(text.as_ptr(), fits) };
    fits
}

pub(crate) unsafe extern "C" fn get_error_len(host: *const HostApi) -> usize {
    // SAFETY: as above.
    let runtime = unsafe { HostContext::of(host) }.and_then(HostContext::runtime);
    runtime.map_or(0, |runtime| runtime.error_len())
}

pub(crate) unsafe extern "C" fn log(host: *const HostApi, level: u32, scope: StringView, message: StringView) {
    // SAFETY: as above; both views are readable during the call.
    let (context, scope, message) = unsafe { (HostContext::of(host), scope.bytes(), message.bytes()) };
    let bundle = context.and_then(|context| context.bundle.as_ref()).map_or("", |scope| scope.name.as_str());
    let scope = String::from_utf8_lossy(scope.unwrap_or_default());
    let message = String::from_utf8_lossy(message.unwrap_or_default());
    write_log(LogLevel(level), bundle, &scope, &message);
}
