//! Proxies that a plugin has: for contracts of its host, and for other plugins.
//!
//! They are the same typed proxies that hosts have. Their calls go through the host's table, to whoever serves then; the
//! proxy itself keeps nobody loaded.

use std::ffi::c_void;
use std::sync::{Arc, Weak};

use polyplug_abi::{AbiError, CallArena, GuestContractInstance, ProxyRequest, ProxyTarget, StringView, VmLoaderData};

use crate::CallError;
use crate::contract::Contract;
use crate::contract_info::ContractInfo;
use crate::guest::context::PluginContext;
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
    fn resolve_current(&self, _: &'static ContractInfo) -> Result<Option<RawProxy>, CallError> {
        Ok(None) // never asked: the word does not change
    }

    fn bundle(&self) -> String {
        self.bundle.clone()
    }
}

impl PluginContext {
    /// A proxy for the host contract `C`, with at least the minor version that this plugin was built against.
    ///
    /// The proxy keeps the host's runtime from nothing: when that ends, calls answer so.
    ///
    /// # Errors
    ///
    /// [`CallError::Failed`] when the host does not provide the contract (code 100), provides an older version (101), or
    /// another contract of that name and version (18); the message says what to do. A plugin that cannot do without
    /// returns the error from its factory; one that can goes on without.
    ///
    /// ```
    /// # use polyplug::{CallError, PluginContext};
    /// #[polyplug::contract(name = "demo.logger", version = "1.0")]
    /// trait Logger {
    ///     fn log(&self, text: &str);
    /// }
    ///
    /// struct Journal {
    ///     logger: Option<LoggerProxy>,
    /// }
    ///
    /// impl Journal {
    ///     fn new(context: &PluginContext) -> Result<Self, CallError> {
    ///         Ok(Self { logger: context.host::<dyn Logger>().ok() })
    ///     }
    /// }
    /// ```
    pub fn host<C: Contract + ?Sized>(&self) -> Result<C::Proxy, CallError> {
        open::<C>(self, ProxyTarget::Host, C::MINOR)
    }

    /// As [`host`](Self::host), content with minor version `minor`: methods that the host lacks answer
    /// [`CallError::MethodNotAvailable`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn host_since<C: Contract + ?Sized>(&self, minor: u32) -> Result<C::Proxy, CallError> {
        open::<C>(self, ProxyTarget::Host, minor)
    }

    /// A proxy for another bundle's plugin: the first provider of contract `C` with at least the minor version that the
    /// manifest of this bundle asks for.
    ///
    /// The proxy is weak: it keeps the other bundle from nothing. When that is reloaded, calls go to its new version;
    /// when it is unloaded, they answer [`CallError::Unloaded`].
    ///
    /// # Errors
    ///
    /// [`CallError::Failed`] when the bundle's manifest does not declare the contract under `[[dependency]]` (code 17),
    /// nobody provides it (4), or it is another contract (18); the message says what to do.
    ///
    /// ```
    /// # use polyplug::{CallError, PluginContext};
    /// #[polyplug::contract(name = "demo.calculator", version = "1.0")]
    /// trait Calculator {
    ///     fn add(&self, a: i32, b: i32) -> i32;
    /// }
    ///
    /// fn sum(context: &PluginContext, numbers: &[i32]) -> Result<i32, CallError> {
    ///     let calculator = context.peer::<dyn Calculator>()?;
    ///     numbers.iter().try_fold(0, |sum, number| calculator.add(sum, *number))
    /// }
    /// ```
    pub fn peer<C: Contract + ?Sized>(&self) -> Result<C::Proxy, CallError> {
        open::<C>(self, ProxyTarget::Peer, 0)
    }
}

/// Opens a proxy for contract `C`.
fn open<C: Contract + ?Sized>(context: &PluginContext, target: ProxyTarget, minor: u32) -> Result<C::Proxy, CallError> {
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
        revision: (&ALWAYS).into(),
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
