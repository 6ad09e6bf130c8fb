//! The proxies of a plugin: for contracts of its host, and for other plugins.
//!
//! Plugins and hosts have the same typed proxies. A plugin's proxy calls through the host's table, to the version that
//! serves at the time of the call, and does not keep the callee loaded.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::NonNull;
use std::sync::{Arc, Weak};

use polyplug_abi::{
    AbiError, CallArena, GuestContractInstance, HostApi, ProxyRequest, ProxyTarget, StringView, VmLoaderData,
};

use crate::call_error::{CallError, Callee};
use crate::contract::Contract;
use crate::contract_info::ContractInfo;
use crate::frame_arena::ArenaLender;
use crate::guest::context::PluginContext;
use crate::proxy::{Owner, ProxyParts, RawProxy, Trampoline};
use crate::revision::Revision;

/// The revision of every proxy of a plugin. It never changes: the host finds the current version at each call.
static ALWAYS: Revision = Revision::current();

/// A token of the host's, with the data that calls through the token need.
struct Link {
    /// The trampoline whose loader data is the address of this link.
    trampoline: Trampoline,
    token: *mut c_void,
    /// True if the link closes the token when dropped.
    is_own: bool,
    context: PluginContext,
    /// The callee, if it was known when the link was made. Otherwise the host knows it.
    callee: Callee,
}

// SAFETY: the plugin never follows the token, and the host's table accepts calls from any thread (the ABI).
unsafe impl Send for Link {}
// SAFETY: a shared link only passes the token to the host's table, which accepts calls from several threads (the ABI).
unsafe impl Sync for Link {}

impl Drop for Link {
    fn drop(&mut self) {
        if self.is_own {
            let host = self.context.host_abi();
            // SAFETY: the context keeps the host's table valid; the token is not used again.
            unsafe { ((*host).close_proxy)(host, self.token) };
        }
    }
}

impl Owner for Link {
    fn resolve_current(&self, _: &'static ContractInfo) -> Result<Option<RawProxy>, CallError> {
        Ok(None) // never called: the revision does not change
    }

    fn callee(&self) -> Callee {
        match &self.callee {
            Callee::Unknown => self.context.callee_of(self.token),
            known => known.clone(),
        }
    }
}

impl PluginContext {
    /// Makes a proxy for the host contract `C`, with at least the minor version that this plugin was built against.
    ///
    /// The proxy does not keep the host's runtime running: after the runtime has ended, calls fail.
    ///
    /// # Errors
    ///
    /// Fails with [`CallError::Failed`] if the host does not provide the contract (code 100), provides an older version
    /// (101), or another contract of that name and version (18); the message says what to do. A plugin that needs the
    /// contract returns the error from its factory; any other plugin can ignore the error.
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

    /// Makes a proxy like [`host`](Self::host), but accepts any minor version from `minor` on: a method that the host
    /// lacks fails with [`CallError::MethodNotAvailable`].
    ///
    /// # Errors
    ///
    /// Fails with the errors of [`host`](Self::host).
    pub fn host_since<C: Contract + ?Sized>(&self, minor: u32) -> Result<C::Proxy, CallError> {
        open::<C>(self, ProxyTarget::Host, minor)
    }

    /// Makes a proxy for another bundle's plugin: the first provider of contract `C` with at least the minor version
    /// that the manifest of this bundle asks for.
    ///
    /// The proxy is weak: it does not keep the other bundle loaded. After a reload of that bundle, calls reach the new
    /// version; after an unload, calls fail with [`CallError::Unloaded`].
    ///
    /// # Errors
    ///
    /// Fails with [`CallError::Failed`] if the bundle's manifest does not declare the contract under `[[dependency]]`
    /// (code 17), no bundle provides the contract (4), or the provider has another contract of that name (18); the
    /// message says what to do.
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

impl PluginContext {
    /// Asks the host for the callee behind a token. Returns [`Callee::Unknown`] if the token is closed, if the runtime
    /// has ended, or if the host is too old to know.
    #[cold]
    fn callee_of(&self, token: *mut c_void) -> Callee {
        let host = self.host_abi();
        let mut name = StringView::null();
        // SAFETY: the context keeps the host's table valid, and the size says whether the function is there. The name
        // is in the buffer that the host keeps for this thread.
        unsafe {
            if (*host).struct_size < offset_of!(HostApi, proxy_bundle) + size_of::<usize>()
                || ((*host).proxy_bundle)(host, token, &raw mut name) == 0
            {
                return Callee::Unknown;
            }
            callee_named(name)
        }
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
    // SAFETY: the context keeps the host's table valid; the request and its views are alive during the call.
    unsafe { ((*host).open_proxy)(host, &raw const request, &raw mut proxy, &raw mut bundle, &raw mut error) };
    if !error.is_ok() {
        let (name, since) = (format!("{}@{}", info.name, info.major), info.version());
        // SAFETY: the text is in the buffer that the host keeps for this thread.
        return Err(unsafe { CallError::reported(|| Callee::Unknown, name, since, &error) });
    }
    let callee = match target {
        ProxyTarget::Host => Callee::Host,
        // SAFETY: the name is in the buffer that the host keeps for this thread.
        _ => unsafe { callee_named(bundle) },
    };
    // SAFETY: the host has compared the schemas, so the token is that of a proxy for this contract; `open_proxy` gives
    // the token to its caller.
    Ok(unsafe { link::<C>(context.clone(), proxy, callee, true) })
}

/// Returns the callee with this name, as the host gives it: a bundle's, or the empty name of the host.
///
/// # Safety
///
/// The name must be empty or readable.
pub(super) unsafe fn callee_named(name: StringView) -> Callee {
    // SAFETY: the name is empty or readable (the caller's promise).
    Callee::from_name(unsafe { name.bytes() }.map(String::from_utf8_lossy).unwrap_or_default().into_owned())
}

/// Makes the typed proxy that calls through a token of the host's.
///
/// # Safety
///
/// The token must be that of an object of contract `C`, whose methods are numbered as in this build. If `is_own`, the
/// caller must own the token, which the proxy closes.
pub(super) unsafe fn link<C: Contract + ?Sized>(
    context: PluginContext,
    token: *mut c_void,
    callee: Callee,
    is_own: bool,
) -> C::Proxy {
    let info = C::info();
    let link = Arc::new_cyclic(|this: &Weak<Link>| {
        let loader_data = VmLoaderData { data: this.as_ptr().cast_mut().cast() };
        let trampoline = Trampoline { call, loader_data, instance: GuestContractInstance::null() };
        Link { trampoline, token, is_own, context, callee }
    });
    let parts = ProxyParts {
        revision: (&ALWAYS).into(),
        functions: std::ptr::NonNull::from(info.via).cast(),
        instance: link.trampoline.as_instance(C::ID),
        host: link.context.host_api(),
        arenas: &LENT_BY_TABLE,
        info,
    };
    // SAFETY: the link keeps the table valid, and holds the trampoline that the entries in `via` expect as the
    // instance; they call the methods of this contract through the host (the caller's promise). The revision is static,
    // and the code is this library's.
    C::Proxy::from(unsafe { RawProxy::new(parts, link) })
}

/// The functions of the host's table by which plugins get arenas.
static LENT_BY_TABLE: ArenaLender = ArenaLender { is_of_host: false, enter: enter_arena, leave: leave_arena };

/// # Safety
///
/// The table must be valid.
unsafe fn enter_arena(host: NonNull<HostApi>) -> *mut CallArena {
    // SAFETY: the table is valid (the caller's promise).
    unsafe { (host.as_ref().enter_arena)(host.as_ptr()) }
}

/// # Safety
///
/// The table must be valid. The arena must not be used again.
unsafe fn leave_arena(host: NonNull<HostApi>, arena: *mut CallArena, _: usize) {
    if arena.is_null() {
        return; // the host has ended the use of what its other callees have not left
    }
    // SAFETY: the table is valid (the caller's promise).
    unsafe { (host.as_ref().leave_arena)(host.as_ptr(), arena) };
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
    // SAFETY: `link` stores the address of a link as loader data, and the proxy keeps the link alive.
    let link = unsafe { &*loader_data.data.cast::<Link>() };
    let host = link.context.host_abi();
    // SAFETY: the context keeps the host's table valid; the caller follows the protocol of `Entry`.
    unsafe { ((*host).call_proxy)(host, link.token, fn_id, args, out, arena, out_err) };
}
