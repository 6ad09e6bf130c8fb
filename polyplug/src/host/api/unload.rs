//! The function that registers functions for the unload of a bundle.

use std::ffi::c_void;

use polyplug_abi::{AbiError, AbiErrorCode, HostApi, UnloadFunction};

use super::error::ApiError;
use super::with_runtime::with_runtime;
use crate::call_error::message_text;

/// The text of the error of a function that is registered too late.
const ALREADY_UNLOADING: &str =
    "on_unload: the bundle is being unloaded, and takes no further functions: register them before";

// Table-call contract: a function here is called through the table, as `HostApi` documents. So `host` is null or a
// valid table of this library, and each other pointer is null or leads to memory of its type.

pub(crate) unsafe extern "C" fn on_unload(
    host: *const HostApi,
    function: Option<UnloadFunction>,
    data: *mut c_void,
    out_err: *mut AbiError,
) {
    struct Arguments(*const HostApi, *mut c_void);
    // SAFETY: the table accepts calls from any thread, and `HostApi` documents that the host passes `data` on.
    unsafe impl Send for Arguments {}
    // SAFETY: the arguments are only moved to the thread that calls the function.
    unsafe impl Sync for Arguments {}

    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |context, runtime| {
            let function = function.ok_or_else(|| ApiError::null("the function"))?;
            if context.bundle.is_none() {
                let text = "on_unload: only a bundle's code is unloaded";
                return Err(ApiError::new(AbiErrorCode::NotAllowed, text));
            }
            let Some(version) = context.version() else {
                return Err(ApiError::new(AbiErrorCode::Unloaded, ALREADY_UNLOADING));
            };
            let arguments = Arguments(host, data);
            let call = move |report: &dyn Fn(&str)| {
                let Arguments(host, data) = { arguments };
                let mut error = AbiError::ok();
                function(host, data, &raw mut error);
                if !error.is_ok() {
                    report(&message_text(&error));
                }
            };
            version.on_unload(runtime.parts().unload_limit, Box::new(call));
            Ok(())
        });
    }
}
