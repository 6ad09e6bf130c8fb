//! The untyped half of every proxy, which makes the call and turns a failure into a [`CallError`].
//!
//! `#[polyplug::contract]` makes the typed half, with one method for each of the contract's methods. This module does
//! not depend on the kind of the callee: a host's proxy calls a native plugin directly, other proxies call through a
//! [`Trampoline`].

use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;

use polyplug_abi::{
    AbiError, CallArena, Entry, GuestContractId, GuestContractInstance, HostApi, StringView, Version, VmCall,
    VmLoaderData,
};

use crate::call_error::{CallError, Callee, Failure};
use crate::contract_info::ContractInfo;
use crate::frame_arena::{ArenaLender, ArenaSource, FrameArena};
use crate::revision::Revision;
use crate::types::{Crosses, Depth, Lend, LiftError, LowerError};

/// An error inside this module. It is boxed so that a result that is a number or an error fits into registers.
type Failed = Box<CallError>;

/// The untyped half of a proxy.
pub struct RawProxy {
    /// The revision of the version that the proxy was made with.
    revision: NonNull<Revision>,
    /// The callee's entries: one for each of `info.methods`, in that order.
    functions: NonNull<Entry>,
    instance: GuestContractInstance,
    arenas: ArenaSource,
    info: &'static ContractInfo,
    /// The owner of everything that the other fields point at; it also keeps the code mapped.
    owner: Arc<dyn Owner>,
}

// SAFETY: the pointers lead to an atomic and to tables that never change, all kept alive by `owner`, which is
// `Send + Sync`; instances accept calls from any thread (`GuestContractInstance`).
unsafe impl Send for RawProxy {}
// SAFETY: a shared proxy only loads the atomic, reads the tables and calls the instance, which any thread may do.
unsafe impl Sync for RawProxy {}

/// The operations that every typed proxy has.
pub trait Proxy: Clone + Send + Sync {
    /// Returns the untyped half.
    #[doc(hidden)]
    fn raw(&self) -> &RawProxy;

    /// Binds the proxy to the version that serves now, if the bundle was reloaded since the proxy was made.
    ///
    /// A proxy that is not refreshed still works: each call finds the new version at a small cost, and the proxy keeps
    /// the old version loaded.
    fn refresh(&mut self) {
        *self = self.clone();
    }

    /// Returns the name of the bundle that serves the proxy; `host` for a host contract.
    fn bundle_name(&self) -> String {
        self.raw().bundle()
    }
}

/// The owner of an instance and of everything that the instance needs to run. A proxy holds one.
pub trait Owner: Send + Sync {
    /// Returns the proxy that takes the calls once the revision has changed, or `None` if the present one still does.
    ///
    /// # Errors
    ///
    /// Fails if the bundle is unloaded.
    fn resolve_current(&self, info: &'static ContractInfo) -> Result<Option<RawProxy>, CallError>;

    /// Returns the callee, for errors.
    fn callee(&self) -> Callee;
}

/// The parts of a [`RawProxy`].
pub struct ProxyParts {
    /// The revision of the version that the proxy is made with.
    pub revision: NonNull<Revision>,
    /// The entries, one for each of `info.methods`.
    pub functions: NonNull<Entry>,
    /// The instance.
    pub instance: GuestContractInstance,
    /// The host that lends arenas.
    pub host: NonNull<HostApi>,
    /// The functions by which the host lends arenas.
    pub arenas: &'static ArenaLender,
    /// The contract.
    pub info: &'static ContractInfo,
}

impl RawProxy {
    /// Makes a proxy of `parts`.
    ///
    /// # Safety
    ///
    /// `owner` must keep all pointers in `parts` valid and the entries' code mapped; the entries must be those of
    /// `info`'s methods, for `instance`.
    #[must_use]
    pub unsafe fn new(parts: ProxyParts, owner: Arc<dyn Owner>) -> Self {
        let ProxyParts { revision, functions, instance, host, arenas, info } = parts;
        let arenas = ArenaSource { host, lender: arenas };
        Self { revision, functions, instance, arenas, info, owner }
    }

    /// Calls method `index`: lowers the arguments with `lower`, and lifts the result.
    ///
    /// `needs_arena` says whether arguments or result need memory beyond their lowered values; it is a constant at each
    /// call site.
    ///
    /// # Errors
    ///
    /// Fails with the [`CallError`] that kept the guest's answer from arriving.
    ///
    /// # Safety
    ///
    /// `index` must be one of the contract's methods, `A` and `R` must be the types of its arguments and result, and
    /// `needs_arena` must be true where arguments or result need an arena.
    #[inline]
    pub unsafe fn call<A: Copy, R: Crosses<CROSSES>, const CROSSES: bool>(
        &self,
        index: usize,
        needs_arena: bool,
        lower: impl FnOnce(&mut Lend) -> A,
    ) -> Result<R, CallError> {
        // SAFETY: `call` and `lower_and_invoke` have the same contract (the caller's promise).
        match unsafe { self.lower_and_invoke(index, needs_arena, lower) } {
            Ok(value) => Ok(value),
            Err(error) => Err(*error),
        }
    }

    #[inline(always)]
    unsafe fn lower_and_invoke<A: Copy, R: Crosses<CROSSES>, const CROSSES: bool>(
        &self,
        index: usize,
        needs_arena: bool,
        lower: impl FnOnce(&mut Lend) -> A,
    ) -> Result<R, Failed> {
        if !needs_arena {
            // SAFETY: a null arena is allowed.
            let args = lower(&mut unsafe { Lend::new(std::ptr::null_mut()) });
            // SAFETY: `index` is a method with these arguments and this result (promised to `call`).
            return unsafe { self.invoke(index, &args, std::ptr::null_mut()) };
        }
        let mut frame = MaybeUninit::uninit();
        let arena = FrameArena::new(&mut frame, &self.arenas);
        // SAFETY: the arena is this call's alone until it is dropped.
        let mut to = unsafe { Lend::new(arena.get()) };
        let args = lower(&mut to);
        if let Err(error) = to.finish() {
            return Err(self.not_lowered(index, error));
        }
        // SAFETY: `index` is a method with these arguments and this result (promised to `call`).
        unsafe { self.invoke(index, &args, arena.get()) }
    }

    #[inline(always)]
    unsafe fn invoke<A: Copy, R: Crosses<CROSSES>, const CROSSES: bool>(
        &self,
        index: usize,
        args: &A,
        arena: *mut CallArena,
    ) -> Result<R, Failed> {
        // Zeroed: a callee may report success without writing a result.
        let mut out = MaybeUninit::<R::Canon>::zeroed();
        let args = if size_of::<A>() == 0 { std::ptr::null() } else { std::ptr::from_ref(args).cast() };
        let out_ptr = if size_of::<R::Canon>() == 0 { std::ptr::null_mut() } else { out.as_mut_ptr().cast() };
        // SAFETY: `owner` keeps the revision alive.
        let failed = if unsafe { self.revision.as_ref() }.is_current() {
            // SAFETY: `index` is a method with these arguments and this result (promised to `call`).
            unsafe { self.enter(index, args, out_ptr, arena) }
        } else {
            // SAFETY: `index` is a method with these arguments and this result (promised to `call`).
            unsafe { self.enter_current(index, args, out_ptr, arena) }
        };
        if let Some(failed) = failed {
            return Err(failed);
        }
        // SAFETY: every bit pattern of a `Canon` is valid, and by the ABI the callee's pointers lead into the arena.
        unsafe { R::lift(out.assume_init_ref(), Depth::ROOT) }.map_err(|error| self.not_lifted(index, &error))
    }

    /// Calls the entry. Returns the error if the call failed.
    #[inline(always)]
    unsafe fn enter(&self, index: usize, args: *const (), out: *mut (), arena: *mut CallArena) -> Option<Failed> {
        // This is the hot path, so only the message's length is set: 0 says that there is no message. A callee that
        // fails without a message writes the code alone.
        let mut error = MaybeUninit::<AbiError>::uninit();
        // SAFETY: `functions` has an entry for each method of the contract (promised to `new`); `index` is one of the
        // methods, and `args` and `out` have the layouts that the method expects (promised to `call`).
        let code = unsafe {
            let slot = error.as_mut_ptr();
            (&raw mut (*slot).code).write(0);
            (&raw mut (*slot).message.len).write(0);
            let entry = *self.functions.as_ptr().add(index);
            entry(self.instance, args, out, arena, slot);
            (&raw const (*slot).code).read()
        };
        if code == 0 {
            return None;
        }
        // SAFETY: the callee wrote the message into the arena, the thread's buffer or its own image, which are all
        // readable here, or left the length at 0.
        Some(unsafe { self.reported(index, &error) })
    }

    /// Calls through a proxy whose version is not the current one any more.
    #[cold]
    #[inline(never)]
    unsafe fn enter_current(
        &self,
        index: usize,
        args: *const (),
        out: *mut (),
        arena: *mut CallArena,
    ) -> Option<Failed> {
        match self.owner.resolve_current(self.info) {
            // SAFETY: `current` is a proxy for the same contract, so what was promised to `call` holds for it.
            Ok(Some(current)) => unsafe { current.enter(index, args, out, arena) },
            // SAFETY: `index`, `args` and `out` are as promised to `call`.
            Ok(None) => unsafe { self.enter(index, args, out, arena) },
            Err(error) => Some(Box::new(error.of_method(self.info.method_path(index)))),
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn reported(&self, index: usize, error: &MaybeUninit<AbiError>) -> Failed {
        let error = error.as_ptr();
        // SAFETY: code and length were set before the call; a callee that sets a length sets the pointer.
        let error = unsafe {
            let len = (&raw const (*error).message.len).read();
            let ptr = if len == 0 { std::ptr::null() } else { (&raw const (*error).message.ptr).read() };
            AbiError { code: (&raw const (*error).code).read(), message: StringView { ptr, len } }
        };
        let since = self.info.methods.get(index).map_or(0, |method| method.since);
        let since = Version::new(self.info.major, since, 0);
        // SAFETY: the callee left the message's length at 0, or wrote a message that is readable here.
        Box::new(unsafe { CallError::reported(|| self.owner.callee(), self.info.method_path(index), since, &error) })
    }

    #[cold]
    #[inline(never)]
    fn not_lifted(&self, index: usize, error: &LiftError) -> Failed {
        let method = self.info.method_path(index);
        let failure = Failure::new(self.owner.callee(), method, format!("result: {error}"));
        Box::new(CallError::InvalidResult(failure))
    }

    #[cold]
    #[inline(never)]
    fn not_lowered(&self, index: usize, error: LowerError) -> Failed {
        let method = self.info.method_path(index);
        let failure = Failure::new(self.owner.callee(), method, format!("arguments: {error}"));
        Box::new(CallError::TooLarge(failure))
    }

    /// Makes a proxy of the same instance that is bound to the version that serves now.
    #[cold]
    fn refreshed(&self) -> Option<Self> {
        self.owner.resolve_current(self.info).ok().flatten()
    }

    /// Returns the table of the host that the proxy calls through.
    pub(crate) fn host(&self) -> NonNull<HostApi> {
        self.arenas.host
    }

    /// Returns whether the host itself holds the proxy, and not a plugin.
    pub(crate) fn is_of_host(&self) -> bool {
        self.arenas.lender.is_of_host
    }

    /// Returns the name of the bundle that serves this proxy.
    #[must_use]
    pub fn bundle(&self) -> String {
        self.owner.callee().into_name()
    }
}

impl Clone for RawProxy {
    /// Makes a proxy that shares the instance. After a reload the clone is bound to the version that serves, so its
    /// calls need not look for that version.
    fn clone(&self) -> Self {
        // SAFETY: `owner` keeps the revision alive.
        if !unsafe { self.revision.as_ref() }.is_current()
            && let Some(refreshed) = self.refreshed()
        {
            return refreshed;
        }
        let Self { revision, functions, instance, arenas, info, .. } = *self;
        Self { revision, functions, instance, arenas, info, owner: Arc::clone(&self.owner) }
    }
}

impl std::fmt::Debug for RawProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}.{} of {}", self.info.name, self.info.major, self.info.minor, self.owner.callee())
    }
}

/// The target of calls that do not enter a method's function directly. The `data` of an instance points at one.
///
/// A trampoline lets the single call function of a VM, or of the host, serve as an ordinary table of entries, so a
/// proxy need not know which kind of callee it calls.
#[repr(C)]
pub(crate) struct Trampoline {
    /// The function that calls a method by its number.
    pub(crate) call: VmCall,
    /// The loader data that is passed to `call`.
    pub(crate) loader_data: VmLoaderData,
    /// The instance that is passed to `call`.
    pub(crate) instance: GuestContractInstance,
}

impl Trampoline {
    /// Returns the instance by which [`via`] finds this trampoline. The instance must not be used after the trampoline
    /// was moved or dropped.
    pub(crate) fn as_instance(&self, contract_id: GuestContractId) -> GuestContractInstance {
        GuestContractInstance { data: std::ptr::from_ref(self).cast_mut().cast(), contract_id }
    }
}

/// Calls method `FN_ID` of an instance whose data is a trampoline.
///
/// # Safety
///
/// The caller must follow the protocol of [`Entry`], and `instance.data` must point at a `Trampoline`.
pub unsafe extern "C" fn via<const FN_ID: u32>(
    instance: GuestContractInstance,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: `instance.data` points at a trampoline (the caller's promise), which the proxy's owner keeps alive; the
    // caller follows the protocol of `Entry`, which `VmCall` extends.
    unsafe {
        let to = &*instance.data.cast::<Trampoline>();
        (to.call)(to.loader_data, to.instance, FN_ID, args, out, arena, out_err);
    }
}
