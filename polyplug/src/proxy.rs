//! The untyped half of every proxy: how a call is made and how its failure becomes a [`CallError`].
//!
//! The typed half, one method a contract method, is made by `#[polyplug::contract]`. This module does not know where
//! the callee lives: a host's proxies lead straight into a plugin, others through a [`Trampoline`].

use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;

use polyplug_abi::{
    AbiError, CallArena, Entry, GuestContractId, GuestContractInstance, HostApi, StringView, Version, VmCall,
    VmLoaderData,
};

use crate::call_error::{CallError, Failure};
use crate::contract_info::ContractInfo;
use crate::revision::Revision;
use crate::types::{Depth, Lend, LiftError, LowerError, Type};

/// An error inside this module. Boxed: one pointer stays in a register, so that a result that is a number does too.
type Failed = Box<CallError>;

/// The untyped half of a proxy.
pub struct RawProxy {
    /// The word of the version the proxy was made with.
    revision: NonNull<Revision>,
    /// The callee's entries, in the order of `info.methods`, one for each.
    functions: NonNull<Entry>,
    instance: GuestContractInstance,
    host: NonNull<HostApi>,
    info: &'static ContractInfo,
    /// Keeps all of the above alive, and the code mapped.
    owner: Arc<dyn Owner>,
}

// SAFETY: the pointers lead to an atomic and to tables that never change, all kept alive by `owner`, which is
// `Send + Sync`; instances accept calls from any thread (`GuestContractInstance`).
unsafe impl Send for RawProxy {}
// SAFETY: as for `Send`.
unsafe impl Sync for RawProxy {}

/// What every typed proxy can do.
pub trait Proxy: Clone + Send + Sync {
    /// The untyped half.
    #[doc(hidden)]
    fn raw(&self) -> &RawProxy;

    /// Binds the proxy to the version that serves now, if its bundle was reloaded since it was made.
    ///
    /// A proxy works without: its calls find the new version, at a small cost each, and it keeps the old one loaded.
    fn refresh(&mut self) {
        *self = self.clone();
    }

    /// The name of the bundle that serves the proxy.
    fn bundle_name(&self) -> String {
        self.raw().bundle()
    }
}

/// What a proxy holds on to: the instance and everything it needs to run.
pub trait Owner: Send + Sync {
    /// Where a call goes once the revision word has changed; `None` if it stays.
    ///
    /// # Errors
    ///
    /// The bundle is unloaded.
    fn resolve_current(&self, info: &'static ContractInfo) -> Result<Option<RawProxy>, CallError>;

    /// The bundle's name.
    fn bundle(&self) -> String;
}

/// The parts of a [`RawProxy`].
pub struct ProxyParts {
    /// The revision word.
    pub revision: NonNull<Revision>,
    /// One entry for each of `info.methods`.
    pub functions: NonNull<Entry>,
    /// The instance.
    pub instance: GuestContractInstance,
    /// The host that lends arenas.
    pub host: NonNull<HostApi>,
    /// The contract.
    pub info: &'static ContractInfo,
}

impl RawProxy {
    /// A proxy made of `parts`.
    ///
    /// # Safety
    ///
    /// `owner` must keep all pointers in `parts` valid and the entries' code mapped; the entries must be those of
    /// `info`'s methods, for `instance`.
    #[must_use]
    pub unsafe fn new(parts: ProxyParts, owner: Arc<dyn Owner>) -> Self {
        let ProxyParts { revision, functions, instance, host, info } = parts;
        Self { revision, functions, instance, host, info, owner }
    }

    /// Calls method `index`: `lower` makes the arguments, and the result is lifted.
    ///
    /// `needs_arena` says whether arguments or result need room beyond their forms; it is a constant at each call.
    ///
    /// # Errors
    ///
    /// Whatever keeps the guest's answer from arriving.
    ///
    /// # Safety
    ///
    /// `index` must be one of the contract's methods, `A` and `R` the forms of its arguments and result, and
    /// `needs_arena` must not be false where they need one.
    #[inline]
    pub unsafe fn call<A: Copy, R: Type>(
        &self,
        index: usize,
        needs_arena: bool,
        lower: impl FnOnce(&mut Lend) -> A,
    ) -> Result<R, CallError> {
        // SAFETY: the caller's promise.
        match unsafe { self.lower_and_invoke(index, needs_arena, lower) } {
            Ok(value) => Ok(value),
            Err(error) => Err(*error),
        }
    }

    #[inline(always)]
    unsafe fn lower_and_invoke<A: Copy, R: Type>(
        &self,
        index: usize,
        needs_arena: bool,
        lower: impl FnOnce(&mut Lend) -> A,
    ) -> Result<R, Failed> {
        if !needs_arena {
            // SAFETY: a null arena is allowed.
            let args = lower(&mut unsafe { Lend::new(std::ptr::null_mut()) });
            // SAFETY: the caller's promise.
            return unsafe { self.invoke(index, &args, std::ptr::null_mut()) };
        }
        let arena = ArenaGuard::enter(self.host);
        // SAFETY: the guard's arena is ours alone until the guard goes.
        let mut to = unsafe { Lend::new(arena.arena) };
        let args = lower(&mut to);
        if let Err(error) = to.finish() {
            return Err(self.not_lowered(index, error));
        }
        // SAFETY: the caller's promise.
        unsafe { self.invoke(index, &args, arena.arena) }
    }

    #[inline(always)]
    unsafe fn invoke<A: Copy, R: Type>(&self, index: usize, args: &A, arena: *mut CallArena) -> Result<R, Failed> {
        // Zeroed, so that a callee that claims success without writing does no harm.
        let mut out = MaybeUninit::<R::Canon>::zeroed();
        let args = if size_of::<A>() == 0 { std::ptr::null() } else { std::ptr::from_ref(args).cast() };
        let room = if size_of::<R::Canon>() == 0 { std::ptr::null_mut() } else { out.as_mut_ptr().cast() };
        // SAFETY: `owner` keeps the word alive.
        let failed = if unsafe { self.revision.as_ref() }.is_current() {
            // SAFETY: the caller's promise.
            unsafe { self.enter(index, args, room, arena) }
        } else {
            // SAFETY: the caller's promise.
            unsafe { self.enter_current(index, args, room, arena) }
        };
        if let Some(failed) = failed {
            return Err(failed);
        }
        // SAFETY: every bit pattern of a form is valid, and the callee's pointers lead into the arena.
        unsafe { R::lift(out.assume_init_ref(), Depth::ROOT) }.map_err(|error| self.not_lifted(index, &error))
    }

    /// Calls the entry; why it failed, if it did.
    #[inline(always)]
    unsafe fn enter(&self, index: usize, args: *const (), out: *mut (), arena: *mut CallArena) -> Option<Failed> {
        // Of the message only the length is set, which says that there is none: this is the hot path, and a callee that
        // fails without one leaves the rest alone.
        let mut error = MaybeUninit::<AbiError>::uninit();
        // SAFETY: `functions` has an entry for each method of the contract (promised to `new`), `index` is one of
        // them, and `args` and `out` have the forms it expects (promised to `call`).
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
        // SAFETY: the callee wrote the message into the arena, the thread's buffer or its own image, all there, or left
        // its length at 0.
        Some(unsafe { self.reported(index, &error) })
    }

    /// The call of a proxy whose version is not the current one any more.
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
            // SAFETY: `there` is a proxy for the same contract, so the caller's promise holds for it.
            Ok(Some(there)) => unsafe { there.enter(index, args, out, arena) },
            // SAFETY: the caller's promise.
            Ok(None) => unsafe { self.enter(index, args, out, arena) },
            Err(error) => Some(Box::new(error)),
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
        // SAFETY: the caller's promise.
        Box::new(unsafe { CallError::reported(self.info.method_path(index), since, &error, || self.owner.bundle()) })
    }

    #[cold]
    #[inline(never)]
    fn not_lifted(&self, index: usize, error: &LiftError) -> Failed {
        let failure = Failure::new(self.info.method_path(index), format!("result: {error}"));
        Box::new(CallError::InvalidResult(failure))
    }

    #[cold]
    #[inline(never)]
    fn not_lowered(&self, index: usize, error: LowerError) -> Failed {
        let failure = Failure::new(self.info.method_path(index), format!("arguments: {error}"));
        Box::new(CallError::TooLarge(failure))
    }

    /// A proxy of the same instance that is bound to the version that serves now.
    #[cold]
    fn refreshed(&self) -> Option<Self> {
        self.owner.resolve_current(self.info).ok().flatten()
    }

    /// The table of the host that the proxy goes by.
    pub(crate) fn host(&self) -> NonNull<HostApi> {
        self.host
    }

    /// The name of the bundle that serves this proxy.
    #[must_use]
    pub fn bundle(&self) -> String {
        self.owner.bundle()
    }
}

impl Clone for RawProxy {
    /// Shares the instance. After a reload the clone is bound to the version that serves, so that it pays nothing for
    /// finding it at each call.
    fn clone(&self) -> Self {
        // SAFETY: `owner` keeps the word alive.
        if !unsafe { self.revision.as_ref() }.is_current()
            && let Some(refreshed) = self.refreshed()
        {
            return refreshed;
        }
        let Self { revision, functions, instance, host, info, .. } = *self;
        Self { revision, functions, instance, host, info, owner: Arc::clone(&self.owner) }
    }
}

impl std::fmt::Debug for RawProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}.{} of bundle `{}`", self.info.name, self.info.major, self.info.minor, self.owner.bundle())
    }
}

/// An arena for one call, given back when dropped.
struct ArenaGuard {
    host: NonNull<HostApi>,
    arena: *mut CallArena,
}

impl ArenaGuard {
    #[inline]
    fn enter(host: NonNull<HostApi>) -> Self {
        // SAFETY: a proxy's host table is valid while the proxy is.
        let arena = unsafe { (host.as_ref().enter_arena)(host.as_ptr()) };
        Self { host, arena }
    }
}

impl Drop for ArenaGuard {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: as in `enter`; the arena came from there, and guards are dropped in reverse order.
        unsafe { (self.host.as_ref().leave_arena)(self.host.as_ptr(), self.arena) };
    }
}

/// The target of calls that do not lead straight into a function: the `data` of an instance points at one.
///
/// A trampoline lets the one function of a VM, or of the host, stand in an ordinary table of entries, so that a proxy need
/// not know which kind it calls.
#[repr(C)]
pub(crate) struct Trampoline {
    /// Calls a method by its number.
    pub(crate) call: VmCall,
    /// Passed on to `call`.
    pub(crate) loader_data: VmLoaderData,
    /// Passed on to `call`.
    pub(crate) instance: GuestContractInstance,
}

impl Trampoline {
    /// Returns the instance that [`via`] takes for this one. It must not outlive the trampoline, nor follow it to another
    /// place.
    pub(crate) fn as_instance(&self, contract_id: GuestContractId) -> GuestContractInstance {
        GuestContractInstance { data: std::ptr::from_ref(self).cast_mut().cast(), contract_id }
    }
}

/// Calls method `FN_ID` of an instance whose data is a trampoline.
///
/// # Safety
///
/// As for any entry; `instance.data` must point at a [`Trampoline`].
pub unsafe extern "C" fn via<const FN_ID: u32>(
    instance: GuestContractInstance,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: the caller promises a trampoline, which the proxy's owner keeps alive; the caller follows the protocol of
    // `Entry`, which `VmCall` extends.
    unsafe {
        let to = &*instance.data.cast::<Trampoline>();
        (to.call)(to.loader_data, to.instance, FN_ID, args, out, arena, out_err);
    }
}
