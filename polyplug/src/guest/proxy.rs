//! Proxies that a plugin has: for contracts of its host, and for other plugins.
//!
//! They are the same typed proxies that hosts have. Their calls go through the host's table, to whoever serves then; the
//! proxy itself keeps nobody loaded.

use std::ffi::c_void;
use std::sync::{Arc, Weak};

use polyplug_abi::{AbiError, CallArena, GuestContractInstance, ProxyRequest, ProxyTarget, StringView, VmLoaderData};

use crate::CallError;
use crate::contract::{Contract, ContractInfo};
use crate::guest::PluginContext;
use crate::proxy::{Owner, ProxyParts, RawProxy, Trampoline};
use crate::revision::Revision;

/// The word of proxies whose calls find out for themselves.
static ALWAYS: Revision = Revision::current();

/// A token of the host's, and what calls through it need.
struct Link {
    /// Leads here: the loader data is the address of the link.
    trampoline: Trampoline,
    token: *mut c_void,
    /// Whether it is closed with this.
    is_own: bool,
    context: PluginContext,
    /// The callee's.
    bundle: String,
}

// SAFETY: the token is a number to everybody but the host, whose table accepts calls from any thread.
unsafe impl Send for Link {}
// SAFETY: as for `Send`.
unsafe impl Sync for Link {}

impl Drop for Link {
    fn drop(&mut self) {
        if self.is_own {
            let host = self.context.host_abi();
            // SAFETY: the context keeps its table valid; the token is not used again.
            unsafe { ((*host).close_proxy)(host, self.token) };
        }
    }
}

impl Owner for Link {
    fn moved(&self, _: &'static ContractInfo) -> Result<Option<RawProxy>, CallError> {
        Ok(None) // never asked: the word does not change
    }

    fn bundle(&self) -> String {
        self.bundle.clone()
    }
}

/// A proxy for contract `C`.
pub(super) fn open<C: Contract + ?Sized>(
    context: &PluginContext,
    target: ProxyTarget,
    minor: u32,
) -> Result<C::Proxy, CallError> {
    let info = C::info();
    let host = context.host_abi();
    let schema = (info.schema)().encode();
    let request = ProxyRequest {
        struct_size: size_of::<ProxyRequest>(),
        target,
        major: info.major,
        minor,
        reserved: 0,
        contract_name: StringView::from_static(info.name.as_bytes()),
        schema: StringView::lend(&schema),
    };
    let (mut proxy, mut bundle, mut error) = (std::ptr::null_mut(), StringView::null(), AbiError::ok());
    // SAFETY: the context keeps its table valid; the request and its views are alive during the call.
    unsafe { ((*host).open_proxy)(host, &raw const request, &raw mut proxy, &raw mut bundle, &raw mut error) };
    if !error.is_ok() {
        let (name, since) = (format!("{}@{}", info.name, info.major), info.version());
        // SAFETY: the text is in the buffer that the host keeps for this thread.
        return Err(unsafe { CallError::reported(name, since, &error, String::new) });
    }
    // SAFETY: the name is in the same buffer.
    let bundle = unsafe { bundle.bytes() }.map(String::from_utf8_lossy).unwrap_or_default().into_owned();
    // SAFETY: the token is that of a proxy for this contract: the host was given its schema.
    Ok(unsafe { link::<C>(context.clone(), proxy, bundle, true) })
}

/// The typed proxy that calls through a token of the host's.
///
/// # Safety
///
/// The token must lead to something of contract `C`, whose methods are numbered as here. If it `is_own`, it is the
/// proxy's to close.
pub(super) unsafe fn link<C: Contract + ?Sized>(
    context: PluginContext,
    token: *mut c_void,
    bundle: String,
    is_own: bool,
) -> C::Proxy {
    let info = C::info();
    let link = Arc::new_cyclic(|this: &Weak<Link>| {
        let loader_data = VmLoaderData { data: this.as_ptr().cast_mut().cast() };
        let trampoline = Trampoline { call, loader_data, instance: GuestContractInstance::null() };
        Link { trampoline, token, is_own, context, bundle }
    });
    let parts = ProxyParts {
        word: (&ALWAYS).into(),
        functions: std::ptr::NonNull::from(info.via).cast(),
        instance: link.trampoline.as_instance(C::ID),
        host: link.context.host_api(),
        info,
    };
    // SAFETY: the link keeps the table, and is itself what the entries in `via` take for their instance; they go through
    // the host to the methods of this contract (the caller's promise). The word is static, and the code is this
    // library's.
    C::Proxy::from(unsafe { RawProxy::new(parts, link) })
}

unsafe extern "C" fn call(
    loader_data: VmLoaderData,
    _: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: `link` puts the address of a link there, which the proxy keeps alive.
    let link = unsafe { &*loader_data.data.cast::<Link>() };
    let host = link.context.host_abi();
    // SAFETY: the context keeps its table valid; the caller follows the protocol of `Entry`.
    unsafe { ((*host).call_proxy)(host, link.token, fn_id, args, out, arena, out_err) };
}
