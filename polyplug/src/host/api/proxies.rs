//! The functions that open, call, share and close the proxies of plugins.

use std::ffi::c_void;

use polyplug_abi::{AbiError, AbiErrorCode, CallArena, HostApi, ObjectOffer, ProxyRequest, StringView};

use super::error::ApiError;
use super::with_runtime::{with_callee, with_runtime};
use crate::host::abi::arena;
use crate::host::abi::dispatch::CallFrame;
use crate::host::plugin_proxy::object::Object;
use crate::host::plugin_proxy::request::ProxySpec;

// Table-call contract: a function here is called through the table, as `HostApi` documents. So `host` is null or a
// valid table of this library, and each other pointer is null or leads to memory of its type.

pub(crate) unsafe extern "C" fn open_proxy(
    host: *const HostApi,
    request: *const ProxyRequest,
    out_proxy: *mut *mut c_void,
    out_bundle: *mut StringView,
    out_err: *mut AbiError,
) {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |context, runtime| {
            if request.is_null() || out_proxy.is_null() {
                return Err(ApiError::null("the request or the room for the proxy"));
            }
            let spec = ProxySpec::read(request).map_err(|text| ApiError::new(AbiErrorCode::InvalidArgument, text))?;
            let (proxy, bundle) = runtime.plugin_proxies().open(runtime.callees(), context.bundle.as_deref(), spec)?;
            out_proxy.write(proxy);
            if !out_bundle.is_null() {
                out_bundle.write(arena::keep_text(&bundle));
            }
            Ok(())
        });
    }
}

pub(crate) unsafe extern "C" fn call_proxy(
    host: *const HostApi,
    proxy: *mut c_void,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: the table-call contract.
    unsafe {
        with_callee(host, CallFrame { args, out, arena, out_err }, |context, runtime, frame| {
            Ok(runtime.plugin_proxies().call(context.bundle_id(), proxy, fn_id, frame)?)
        });
    }
}

pub(crate) unsafe extern "C" fn close_proxy(host: *const HostApi, proxy: *mut c_void) {
    // SAFETY: the table-call contract; `proxy` is a token, and is not dereferenced.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), (), |context, runtime| {
            runtime.plugin_proxies().close(context.bundle_id(), proxy);
            Ok(())
        });
    }
}

pub(crate) unsafe extern "C" fn offer_object(
    host: *const HostApi,
    offer: *const ObjectOffer,
    out_err: *mut AbiError,
) -> *mut c_void {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, std::ptr::null_mut(), |context, runtime| {
            if offer.is_null() {
                return Err(ApiError::null("the offer"));
            }
            let object = Object::read(offer, context.version())
                .map_err(|text| ApiError::new(AbiErrorCode::InvalidArgument, text))?;
            Ok(runtime.plugin_proxies().offer(&object))
        })
    }
}

pub(crate) unsafe extern "C" fn share_object(
    host: *const HostApi,
    proxy: *mut c_void,
    out_bundle: *mut StringView,
    out_err: *mut AbiError,
) -> *mut c_void {
    // SAFETY: the table-call contract; `proxy` is a token, and is not dereferenced.
    unsafe {
        with_runtime(host, out_err, std::ptr::null_mut(), |_, runtime| {
            let (token, bundle) = runtime.plugin_proxies().share(proxy)?;
            if !out_bundle.is_null() {
                out_bundle.write(arena::keep_text(&bundle));
            }
            Ok(token)
        })
    }
}
