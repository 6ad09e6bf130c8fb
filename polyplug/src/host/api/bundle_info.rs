//! The texts that the host keeps about the calling bundle.

use polyplug_abi::{AbiError, AbiErrorCode, HostApi, StringView};

use super::error::ApiError;
use super::with_runtime::with_runtime;
use crate::host::runtime::context::HostContext;
use crate::host::version::scope::BundleScope;

/// Returns a text of the calling bundle, or `otherwise` if the host itself calls.
///
/// # Safety
///
/// `host` must be null or a valid table of this library. The text is valid as long as the table.
unsafe fn text(host: *const HostApi, of: fn(&BundleScope) -> &str, otherwise: &'static str) -> StringView {
    // SAFETY: the caller promises that `host` is null or a valid table.
    let scope = unsafe { HostContext::of(host) }.and_then(|context| context.bundle.as_deref());
    StringView::lend(scope.map_or(otherwise, of).as_bytes())
}

pub(crate) unsafe extern "C" fn config(host: *const HostApi) -> StringView {
    // SAFETY: called through the table as `HostApi` documents, so `host` is null or a valid table.
    unsafe { text(host, |scope| &scope.config, "{}") }
}

pub(crate) unsafe extern "C" fn bundle_name(host: *const HostApi) -> StringView {
    // SAFETY: called through the table as `HostApi` documents, so `host` is null or a valid table.
    unsafe { text(host, |scope| &scope.name, "") }
}

pub(crate) unsafe extern "C" fn directory(host: *const HostApi) -> StringView {
    // SAFETY: called through the table as `HostApi` documents, so `host` is null or a valid table.
    let scope = unsafe { HostContext::of(host) }.and_then(|context| context.bundle.as_deref());
    let directory = scope.and_then(|scope| scope.directory.as_deref());
    directory.map_or(StringView::null(), |directory| StringView::lend(directory.as_os_str().as_encoded_bytes()))
}

pub(crate) unsafe extern "C" fn data_directory(host: *const HostApi, out_err: *mut AbiError) -> StringView {
    // SAFETY: called through the table as `HostApi` documents, so `host` is null or a valid table, and `out_err` null or
    // writable.
    unsafe {
        with_runtime(host, out_err, StringView::null(), |context, _| {
            let Some(scope) = &context.bundle else {
                return Err(ApiError::new(AbiErrorCode::NotFound, "only a bundle has a folder for its data"));
            };
            let made = scope.data_directory.make().map_err(|error| {
                let code = if error.is_not_set() { AbiErrorCode::NotFound } else { AbiErrorCode::Generic };
                ApiError::new(code, error.to_string())
            })?;
            Ok(StringView::lend(made.as_os_str().as_encoded_bytes()))
        })
    }
}
