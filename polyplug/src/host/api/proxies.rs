//! The functions that open, call, share and close the proxies of plugins.

use std::ffi::c_void;

use polyplug_abi::{AbiError, AbiErrorCode, CallArena, HostApi, ObjectOffer, ProxyRequest, StringView};

use super::error::ApiError;
use super::with_runtime::{with_callee, with_runtime};
use crate::call_error::Callee;
use crate::host::abi::arena;
use crate::host::abi::dispatch::CallFrame;
use crate::host::plugin_proxy::object::Object;
use crate::host::plugin_proxy::request::ProxySpec;
use crate::host::runtime::context::HostContext;

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
            let (proxy, callee) = runtime.plugin_proxies().open(runtime.callees(), context.bundle.as_deref(), spec)?;
            out_proxy.write(proxy);
            if !out_bundle.is_null() {
                out_bundle.write(arena::keep_text(&callee.into_name()));
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

pub(crate) unsafe extern "C" fn proxy_bundle(
    host: *const HostApi,
    proxy: *mut c_void,
    out_bundle: *mut StringView,
) -> u8 {
    // SAFETY: the table-call contract.
    let runtime = unsafe { HostContext::of(host) }.and_then(HostContext::runtime);
    let Some(runtime) = runtime else { return 0 };
    // Not `with_runtime`: a closed token is no error, and must not replace the error that is being described.
    let name = match runtime.plugin_proxies().callee(proxy) {
        Callee::Bundle(name) => Some(name),
        Callee::Host => Some(String::new()),
        Callee::Unknown => None,
    };
    if let Some(name) = &name
        && !out_bundle.is_null()
    {
        // SAFETY: not null, and writable by the table-call contract.
        unsafe { out_bundle.write(arena::keep_text(name)) };
    }
    runtime.release_on_reclaimer();
    u8::from(name.is_some())
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
            let (token, callee) = runtime.plugin_proxies().share(proxy)?;
            if !out_bundle.is_null() {
                let name = if callee == Callee::Host { String::new() } else { callee.into_name() };
                out_bundle.write(arena::keep_text(&name));
            }
            Ok(token)
        })
    }
}
