//! Objects that a caller passes to its callee, for calls back.
//!
//! A *lent* object lies on the caller's stack. It can be called until the call that it was lent for returns. That call
//! waits for calls of the object on other threads.
//!
//! A *kept* object is destroyed when its last token is closed. It is also destroyed when the bundle that offered it is
//! replaced or unloaded, even if tokens for it exist then.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};

use polyplug_abi::{DropObject, GuestContractInstance, ObjectOffer, VmDispatch};

use crate::call_error::Callee;
use crate::host::abi::dispatch::{CallFrame, Dispatch};
use crate::host::abi::interface::check_entries;
use crate::host::error::proxy::ProxyError;
use crate::host::version::followers::Follower;
use crate::host::version::version::BundleVersion;

/// The bit of `users` that is set once no further call may begin.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// An object that other bundles or the host call.
pub(crate) struct Object {
    instance: GuestContractInstance,
    dispatch: Dispatch,
    function_count: u32,
    /// The function that destroys the object, if the object may be kept.
    drop: Option<DropObject>,
    /// The version whose code a kept object runs, or `None` for a lent object and for the host's own objects.
    owner: Option<Weak<BundleVersion>>,
    /// The bundle that offered the object, or the host.
    callee: Callee,
    /// The number of calls that are running, with [`CLOSED`] as a flag.
    users: AtomicUsize,
    /// `true` once the object has been destroyed.
    ended: AtomicBool,
    /// The lock for `returned`.
    returning: Mutex<()>,
    /// The signal that the last call of a closed object has returned.
    returned: Condvar,
}

// SAFETY: objects of contracts accept calls from any thread by the ABI's contract.
unsafe impl Send for Object {}
// SAFETY: all that changes is atomic or behind a lock, and objects accept calls from any thread by the ABI's contract.
unsafe impl Sync for Object {}

impl Object {
    /// Reads an offer of `owner`'s code.
    ///
    /// # Safety
    ///
    /// The offer must be readable for the size that it states. The object must be as the offer describes it: a lent
    /// object until its token is closed, a kept object as long as the owner's code is mapped.
    pub(crate) unsafe fn read(
        offer: *const ObjectOffer,
        owner: Option<Arc<BundleVersion>>,
    ) -> Result<Arc<Self>, String> {
        if !offer.is_aligned() {
            return Err("the offer is not aligned".to_owned());
        }
        // SAFETY: an offer begins with its size, which is readable (the caller's promise).
        let size = unsafe { (&raw const (*offer).struct_size).read() };
        if size < size_of::<ObjectOffer>() {
            return Err(format!(
                "the offer has {size} bytes, and version 1 of the ABI has {}",
                size_of::<ObjectOffer>()
            ));
        }
        // SAFETY: the offer is readable for its size, which is large enough. Optional functions are nullable, so every
        // bit pattern is valid.
        let ObjectOffer { instance, functions, function_count, by_host, drop, .. } = unsafe { offer.read() };
        // SAFETY: the table is as the offer describes it (the caller's promise).
        unsafe { check_entries(functions.cast(), function_count) }?;
        let callee = if by_host == 1 { Callee::Host } else { callee_of(owner.as_deref()) };
        let dispatch = Dispatch::Native { functions, count: function_count };
        Ok(Self::new(instance, dispatch, function_count, drop, owner, callee))
    }

    /// Makes an object that an engine runs.
    ///
    /// # Safety
    ///
    /// `dispatch` and `drop` must be the functions for `instance`, which belongs to the new object.
    pub(crate) unsafe fn of_vm(
        instance: GuestContractInstance,
        dispatch: VmDispatch,
        function_count: u32,
        drop: DropObject,
        owner: Option<Arc<BundleVersion>>,
    ) -> Arc<Self> {
        let callee = callee_of(owner.as_deref());
        Self::new(instance, Dispatch::Vm(dispatch), function_count, Some(drop), owner, callee)
    }

    fn new(
        instance: GuestContractInstance,
        dispatch: Dispatch,
        function_count: u32,
        drop: Option<DropObject>,
        owner: Option<Arc<BundleVersion>>,
        callee: Callee,
    ) -> Arc<Self> {
        let owner = owner.filter(|_| drop.is_some()); // a lent object lies on its caller's stack
        let this = Arc::new(Self {
            instance,
            dispatch,
            function_count,
            drop,
            owner: owner.as_ref().map(Arc::downgrade),
            callee,
            users: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            returning: Mutex::default(),
            returned: Condvar::new(),
        });
        if let Some(owner) = &owner {
            owner.threads().follow(&this);
        }
        this
    }

    /// Returns the bundle that offered the object, or the host.
    pub(crate) fn callee(&self) -> Callee {
        self.callee.clone()
    }

    /// Returns whether the callee may keep the object.
    pub(crate) fn may_be_kept(&self) -> bool {
        self.drop.is_some()
    }

    /// Calls the method with number `fn_id`. Returns whether the object has that method.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects. Its `out_err` must point to an error whose code is 0.
    pub(crate) unsafe fn call(&self, fn_id: u32, frame: CallFrame) -> Result<bool, ProxyError> {
        let closed = || match (&self.callee, self.drop) {
            (_, None) => ProxyError::Returned,
            (Callee::Bundle(bundle), Some(_)) => ProxyError::Unloaded { bundle: bundle.clone() },
            (_, Some(_)) => ProxyError::Closed,
        };
        // The lease keeps the owner's code mapped during the call. A lent object needs none: its owner's call waits for
        // this one.
        let lease = self.owner.as_ref().map(Weak::upgrade);
        if matches!(lease, Some(None)) {
            return Err(closed());
        }
        let Some(_call) = CallGuard::begin(self) else { return Err(closed()) };
        if fn_id >= self.function_count {
            return Ok(false);
        }
        // SAFETY: the table is valid as long as the object (promised to `read` and `of_vm`), and the object is not
        // destroyed while `_call` counts as a user; the caller promises the frame.
        let is_called = unsafe { self.dispatch.call(self.instance, fn_id, frame) };
        // SAFETY: the caller promises the frame, and the lease keeps the owner's code mapped.
        unsafe { frame.keep_message() };
        Ok(is_called)
    }

    /// Prevents further calls. Waits until the last call of a lent object has returned. A kept object is destroyed by
    /// the last call, or here if no call is running.
    pub(crate) fn close(&self) {
        let before = self.users.fetch_or(CLOSED, Ordering::AcqRel);
        if self.may_be_kept() {
            if before & !CLOSED == 0 {
                self.end();
            }
            return;
        }
        let mut returning = self.returning.lock().unwrap_or_else(PoisonError::into_inner);
        while self.users.load(Ordering::Acquire) != CLOSED {
            returning = self.returned.wait(returning).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Destroys the object, once.
    fn end(&self) {
        if self.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        // If the owner is reclaimed, it was retired before, and the object was destroyed then.
        let lease = self.owner.as_ref().map(Weak::upgrade);
        if let (Some(drop), false) = (self.drop, matches!(lease, Some(None))) {
            // SAFETY: `drop` is the function for this object (promised to `read` and `of_vm`), whose code the lease
            // keeps mapped. The object is closed and its last call has returned, so no call uses the object.
            unsafe { drop(self.instance) };
        }
    }
}

/// Returns the callee of an object that `owner`'s code offers; the host offers objects without an owner.
fn callee_of(owner: Option<&BundleVersion>) -> Callee {
    owner.map_or(Callee::Host, |owner| Callee::Bundle(owner.name().to_owned()))
}

impl Follower for Object {
    fn retired(&self) {
        self.close();
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if self.may_be_kept() {
            self.close();
        }
    }
}

/// A running call of an object, until dropped.
struct CallGuard<'a>(&'a Object);

impl<'a> CallGuard<'a> {
    fn begin(object: &'a Object) -> Option<Self> {
        let before = object.users.fetch_add(1, Ordering::AcqRel);
        let this = Self(object);
        (before & CLOSED == 0).then_some(this)
    }
}

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        let before = self.0.users.fetch_sub(1, Ordering::AcqRel);
        if before != CLOSED + 1 {
            return;
        }
        if self.0.may_be_kept() {
            self.0.end();
            return;
        }
        // The lock is taken once, so that a thread between its check and its wait does not miss the notification.
        drop(self.0.returning.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.returned.notify_all();
    }
}
