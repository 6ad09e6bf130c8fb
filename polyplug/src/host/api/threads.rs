//! The functions that start threads of bundles, and that let them wait for the end of their bundle.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use polyplug_abi::{AbiError, AbiErrorCode, HostApi, StringView, ThreadBody};

use super::error::ApiError;
use super::with_runtime::with_runtime;
use crate::host::runtime::context::HostContext;

// Table-call contract: a function here is called through the table, as `HostApi` documents. So `host` is null or a
// valid table of this library, and each other pointer is null or leads to memory of its type.

pub(crate) unsafe extern "C" fn spawn(
    host: *const HostApi,
    name: StringView,
    body: ThreadBody,
    data: *mut c_void,
    out_err: *mut AbiError,
) {
    struct Data(*mut c_void);
    // SAFETY: `HostApi` documents that the caller of `spawn` hands `data` over to the new thread.
    unsafe impl Send for Data {}

    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |context, _| {
            let Some(body) = body else { return Err(ApiError::null("spawn: the function of the thread")) };
            let refused = |text: &str| ApiError::new(AbiErrorCode::NotAllowed, text);
            let scope =
                context.bundle.as_ref().ok_or_else(|| refused("spawn: only a bundle's code has threads here"))?;
            let Some(lease) = context.version() else {
                return Err(ApiError::new(AbiErrorCode::Unloaded, "spawn: the bundle's code is about to go"));
            };
            let name = String::from_utf8_lossy(name.bytes().unwrap_or_default()).replace('\0', "");
            let name = if name.is_empty() { scope.name.clone() } else { name };
            let (threads, reclaimer) = (Arc::clone(lease.threads()), lease.reclaimer().clone());
            let data = Data(data);
            let run = move || {
                let data = data; // moves the whole `Data`: its pointer alone is not `Send`
                body(data.0);
            };
            threads.spawn(lease, &reclaimer, name, run).map_err(|error| {
                ApiError::new(AbiErrorCode::Generic, format!("spawn: the system has no more threads: {error}"))
            })
        });
    }
}

pub(crate) unsafe extern "C" fn wait_retired(host: *const HostApi, millis: u64) -> u8 {
    // SAFETY: the table-call contract.
    let Some(context) = (unsafe { HostContext::of(host) }) else { return 1 };
    if context.bundle.is_none() {
        return 0; // the host itself does not retire
    }
    // The wait holds no lease: the calling thread itself decides how long its code stays mapped.
    let Some(threads) = context.version().map(|version| Arc::clone(version.threads())) else { return 1 };
    u8::from(threads.wait_retired(Duration::from_millis(millis)))
}
