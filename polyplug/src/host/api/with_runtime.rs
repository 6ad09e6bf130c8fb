//! The frame that the functions of the host's table share.

use std::alloc::Layout;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use polyplug_abi::{AbiError, AbiErrorCode, Array, HostApi, StringView};

use super::error::ApiError;
use crate::call_error::message_text;
use crate::guest::write_error_into;
use crate::host::abi::arena::{self, ArenaDepth};
use crate::host::abi::dispatch::CallFrame;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::runtime::Runtime;

/// Runs `body` with the runtime behind `host`, and returns `otherwise` on a failure. A failure is recorded as the
/// runtime's last error, and written to `out_err` unless `out_err` is null.
///
/// # Safety
///
/// `host` must be null or a valid table of this library, `out_err` null or writable.
pub(crate) unsafe fn with_runtime<R>(
    host: *const HostApi,
    out_err: *mut AbiError,
    otherwise: R,
    body: impl FnOnce(&HostContext, &Arc<Runtime>) -> Result<R, ApiError>,
) -> R {
    // SAFETY: the caller promises that `host` is null or a valid table.
    let context = unsafe { HostContext::of(host) };
    let runtime = context.and_then(HostContext::runtime);
    // What `body` calls may be foreign code, which may not return all of its arenas.
    let _depth = ArenaDepth::now();
    let outcome = match (context, &runtime) {
        (None, _) => Err(ApiError::null("the host")),
        (_, None) => Err(ApiError::new(AbiErrorCode::Unloaded, "the runtime has ended")),
        (Some(context), Some(runtime)) => catch_unwind(AssertUnwindSafe(|| body(context, runtime)))
            .unwrap_or_else(|payload| Err(ApiError::new(AbiErrorCode::Panic, crate::guest::describe_panic(payload)))),
    };
    let value = match outcome {
        Ok(value) => value,
        Err(error) => {
            // SAFETY: the caller promises that `out_err` is null or writable; the thread's buffer has the length that
            // is asked for.
            unsafe { write_error_into(out_err, error.code, &error.text, arena::error_text) };
            if let Some(runtime) = &runtime {
                runtime.record_error(error.text);
            }
            otherwise
        }
    };
    if let Some(runtime) = runtime {
        runtime.release_on_reclaimer();
    }
    value
}

/// Runs `call` with the runtime behind `host`, and with the frame of a call whose callee may report an error. The callee
/// writes to a spare buffer if the caller passed no `out_err`. Records the error that the callee reports.
///
/// # Safety
///
/// As for [`with_runtime`], for the `out_err` of `frame`. The code of that error must be 0, unless `out_err` is null.
pub(crate) unsafe fn with_callee(
    host: *const HostApi,
    frame: CallFrame,
    call: impl FnOnce(&HostContext, &Runtime, CallFrame) -> Result<(), ApiError>,
) {
    let mut spare = AbiError::ok();
    let out_err = if frame.out_err.is_null() { &raw mut spare } else { frame.out_err };
    // SAFETY: the caller promises `host`, and an `out_err` that is null or writable; the spare buffer stands in for null.
    // An error's code was set to 0 before the call, as `AbiError` documents, and a callee that sets a code sets a message.
    unsafe {
        with_runtime(host, frame.out_err, (), |context, runtime| {
            call(context, runtime, CallFrame { out_err, ..frame })?;
            if (*out_err).code != 0 {
                runtime.record_error(message_text(&*out_err));
            }
            Ok(())
        });
    }
}

/// Reads a text that is given by pointer and length. `what` names the text in errors.
pub(crate) unsafe fn text_from(ptr: *const u8, len: usize, what: &str) -> Result<String, ApiError> {
    if ptr.is_null() {
        return Err(ApiError::null(what));
    }
    // SAFETY: the caller of the table's function promises `len` readable bytes.
    let bytes = unsafe { StringView { ptr, len }.bytes() }
        .ok_or_else(|| ApiError::new(AbiErrorCode::InvalidArgument, format!("{what} has an impossible length")))?;
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(ApiError::new(AbiErrorCode::InvalidArgument, format!("{what} is not UTF-8: {error}"))),
    }
}

/// Copies `items` into an array that the receiver gives back through `free`.
pub(crate) fn array<T: Copy>(items: &[T]) -> Array<T> {
    if items.is_empty() {
        return Array::empty();
    }
    let Ok(layout) = Layout::array::<T>(items.len()) else { return Array::empty() };
    // SAFETY: the size is not 0: `items` is not empty, and none of the item types here has size 0.
    let start = unsafe { std::alloc::alloc(layout) }.cast::<T>();
    if start.is_null() {
        return Array::empty();
    }
    // SAFETY: `start` is fresh memory with space for all items.
    unsafe { start.copy_from_nonoverlapping(items.as_ptr(), items.len()) };
    Array::new(start, items.len())
}
