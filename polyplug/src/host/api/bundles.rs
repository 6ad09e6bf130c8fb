//! The functions that load, reload and unload bundles.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use polyplug_abi::{AbiError, BundleId, HostApi};

use super::error::ApiError;
use super::with_runtime::{text_from, with_runtime};
use crate::host::bundle::file::absolute;
use crate::host::error::manifest::ManifestError;
use crate::host::error::runtime::RuntimeError;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::runtime::Runtime;

/// Changes a bundle: at once if the host calls, later on the runtime's own thread if a plugin calls. A plugin must not
/// wait for a change that may unload the plugin.
fn change(
    context: &HostContext,
    runtime: &Arc<Runtime>,
    change: impl FnOnce(&Runtime) -> Result<(), RuntimeError> + Send + 'static,
) -> Result<(), ApiError> {
    if context.bundle.is_some() {
        runtime.enqueue_change(change);
        return Ok(());
    }
    Ok(change(runtime)?)
}

/// Reads the path of a bundle, and makes it absolute: a plugin's call is carried out later, when the working directory
/// may be another one.
///
/// # Safety
///
/// `path` must be null or lead to `len` bytes.
unsafe fn path_from(path: *const u8, len: usize) -> Result<PathBuf, ApiError> {
    // SAFETY: the caller's promise.
    let path = PathBuf::from(unsafe { text_from(path, len, "the path") }?);
    absolute(&path)
        .map_err(|source| RuntimeError::from(ManifestError::Unreadable { path, source: source.into() }).into())
}

// Table-call contract: a function here is called through the table, as `HostApi` documents. So `host` is null or a
// valid table of this library, and each other pointer is null or leads to memory of its type.

pub(crate) unsafe extern "C" fn load_bundle(host: *const HostApi, path: *const u8, len: usize, out_err: *mut AbiError) {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |context, runtime| {
            let path = path_from(path, len)?;
            change(context, runtime, move |runtime| runtime.load_bundle(&path).map(drop))
        });
    }
}

pub(crate) unsafe extern "C" fn reload_bundle(
    host: *const HostApi,
    path: *const u8,
    len: usize,
    out_err: *mut AbiError,
) {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |context, runtime| {
            let path = path_from(path, len)?;
            change(context, runtime, move |runtime| runtime.reload_bundle(&path).map(drop))
        });
    }
}

pub(crate) unsafe extern "C" fn unload_bundle(host: *const HostApi, bundle_id: u64, out_err: *mut AbiError) {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |context, runtime| {
            let id = BundleId::from_u64(bundle_id);
            change(context, runtime, move |runtime| runtime.unload_bundle(id).map(drop))
        });
    }
}

pub(crate) unsafe extern "C" fn unload_bundle_cascade(host: *const HostApi, bundle_id: u64, out_err: *mut AbiError) {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |context, runtime| {
            let id = BundleId::from_u64(bundle_id);
            change(context, runtime, move |runtime| runtime.unload_bundle_cascade(id).map(drop))
        });
    }
}

pub(crate) unsafe extern "C" fn quiesce(host: *const HostApi, millis: u64) -> usize {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), 0, |context, runtime| {
            Ok(match &context.bundle {
                // The stack may hold frames of a plugin, so nothing is reclaimed here.
                Some(_) => runtime.retired().iter().filter(|version| version.still_mapped.is_none()).count(),
                None => runtime.quiesce(Duration::from_millis(millis)).len(),
            })
        })
    }
}
