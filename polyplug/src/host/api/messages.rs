//! The functions that read the runtime's last error and write to the host's log.

use polyplug_abi::{HostApi, LogLevel, StringView};

use crate::host::abi::log::{max_level, write_log};
use crate::host::runtime::context::HostContext;

// Table-call contract: a function here is called through the table, as `HostApi` documents. So `host` is null or a
// valid table of this library, and each other pointer is null or leads to memory of its type.

pub(crate) unsafe extern "C" fn get_last_error(host: *const HostApi, buf: *mut u8, len: usize) -> usize {
    // SAFETY: the table-call contract.
    let runtime = unsafe { HostContext::of(host) }.and_then(HostContext::runtime);
    let Some(runtime) = runtime else { return 0 };
    let text = if buf.is_null() || len == 0 { String::new() } else { runtime.take_error() };
    runtime.release_on_reclaimer();
    if text.is_empty() {
        return 0;
    }
    // Cut at the end of a character, so that the bytes in `buf` are UTF-8.
    let fits = (0..=len.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    // SAFETY: the caller promises that `buf` has `len` writable bytes; `fits` is at most `len`.
    unsafe { buf.copy_from_nonoverlapping(text.as_ptr(), fits) };
    fits
}

pub(crate) unsafe extern "C" fn get_error_len(host: *const HostApi) -> usize {
    // SAFETY: the table-call contract.
    let runtime = unsafe { HostContext::of(host) }.and_then(HostContext::runtime);
    let Some(runtime) = runtime else { return 0 };
    let len = runtime.error_len();
    runtime.release_on_reclaimer();
    len
}

pub(crate) unsafe extern "C" fn log(host: *const HostApi, level: u32, scope: StringView, message: StringView) {
    // SAFETY: the table-call contract; both views are readable during the call.
    let (context, scope, message) = unsafe { (HostContext::of(host), scope.bytes(), message.bytes()) };
    let bundle = context.and_then(|context| context.bundle.as_ref()).map_or("", |scope| scope.name.as_str());
    let scope = String::from_utf8_lossy(scope.unwrap_or_default());
    let message = String::from_utf8_lossy(message.unwrap_or_default());
    write_log(LogLevel(level), bundle, &scope, &message);
}

pub(crate) unsafe extern "C" fn log_as(
    _: *const HostApi,
    bundle: StringView,
    level: u32,
    scope: StringView,
    message: StringView,
) {
    // SAFETY: the table-call contract; the views are readable during the call.
    let [bundle, scope, message] = unsafe { [bundle.bytes(), scope.bytes(), message.bytes()] };
    let [bundle, scope, message] =
        [bundle, scope, message].map(|text| String::from_utf8_lossy(text.unwrap_or_default()));
    write_log(LogLevel(level), &bundle, &scope, &message);
}

pub(crate) unsafe extern "C" fn log_level(_: *const HostApi) -> u32 {
    max_level().map_or(0, |level| level.0)
}
