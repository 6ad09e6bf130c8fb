//! Objects that a caller gives to its callee, to call back.
//!
//! One that is *lent* lies on the caller's stack: it can be called until the call it was lent for returns, which waits
//! for whoever is calling it on another thread. One that may be *kept* ends when nobody holds a token for it, or when the
//! bundle that offered it is replaced or unloaded, whoever holds tokens then.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};

use polyplug_abi::{DropObject, GuestContractInstance, ObjectOffer, VmDispatch};

use crate::host::abi::dispatch::{CallFrame, Dispatch};
use crate::host::error::proxy::ProxyError;
use crate::host::version::threads::Follower;
use crate::host::version::version::BundleVersion;

/// Added to the number of users once nobody may become one.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// The most functions that an object may have.
const FUNCTION_LIMIT: u32 = 1 << 16;

/// An object that others call.
pub(crate) struct Object {
    instance: GuestContractInstance,
    dispatch: Dispatch,
    function_count: u32,
    /// How it ends, if it may be kept.
    drop: Option<DropObject>,
    /// Whose code it is; none for the host's own.
    owner: Option<Weak<BundleVersion>>,
    bundle: String,
    /// Calls that are running, and [`CLOSED`].
    users: AtomicUsize,
    /// Whether it has ended.
    ended: AtomicBool,
    /// For whoever waits until the last call has returned.
    returning: Mutex<()>,
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
    /// It must be readable, for the size that it states, and what it says of the object must be so: until its token is
    /// closed, for one that is lent; as long as the owner's code is mapped, for one that may be kept.
    pub(crate) unsafe fn read(
        offer: *const ObjectOffer,
        owner: Option<Arc<BundleVersion>>,
    ) -> Result<Arc<Self>, String> {
        if !offer.is_aligned() {
            return Err("the offer is not aligned".to_owned());
        }
        // SAFETY: the caller's promise; an offer begins with its size.
        let size = unsafe { (&raw const (*offer).struct_size).read() };
        if size < size_of::<ObjectOffer>() {
            return Err(format!(
                "the offer has {size} bytes, and version 1 of the ABI has {}",
                size_of::<ObjectOffer>()
            ));
        }
        // SAFETY: large enough; optional functions are nullable, so every bit pattern is valid.
        let ObjectOffer { instance, functions, function_count, drop, .. } = unsafe { offer.read() };
        if function_count > FUNCTION_LIMIT || (function_count > 0 && (functions.is_null() || !functions.is_aligned())) {
            return Err("the table of functions is null, not aligned, or too long".to_owned());
        }
        Ok(Self::new(instance, Dispatch::Native { functions, count: function_count }, function_count, drop, owner))
    }

    /// An object that an engine runs.
    ///
    /// # Safety
    ///
    /// `dispatch` and `drop` must be for the instance, which is theirs from now on.
    pub(crate) unsafe fn of_vm(
        instance: GuestContractInstance,
        dispatch: VmDispatch,
        function_count: u32,
        drop: DropObject,
        owner: Option<Arc<BundleVersion>>,
    ) -> Arc<Self> {
        Self::new(instance, Dispatch::Vm(dispatch), function_count, Some(drop), owner)
    }

    fn new(
        instance: GuestContractInstance,
        dispatch: Dispatch,
        function_count: u32,
        drop: Option<DropObject>,
        owner: Option<Arc<BundleVersion>>,
    ) -> Arc<Self> {
        let bundle = owner.as_ref().map_or("the host", |owner| owner.name()).to_owned();
        let owner = owner.filter(|_| drop.is_some()); // what is lent lies on its caller's stack
        let this = Arc::new(Self {
            instance,
            dispatch,
            function_count,
            drop,
            owner: owner.as_ref().map(Arc::downgrade),
            bundle,
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

    /// The name of the bundle that offered it.
    pub(crate) fn bundle(&self) -> &str {
        &self.bundle
    }

    pub(crate) fn may_be_kept(&self) -> bool {
        self.drop.is_some()
    }

    /// Calls a method. Returns whether there is one of that number.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects.
    pub(crate) unsafe fn call(&self, fn_id: u32, frame: CallFrame) -> Result<bool, ProxyError> {
        let gone = || match self.drop {
            Some(_) => ProxyError::Unloaded { bundle: self.bundle.clone() },
            None => ProxyError::Returned,
        };
        // The owner's code stays mapped during the call. What is lent is on its stack: there it is anyway.
        let lease = self.owner.as_ref().map(Weak::upgrade);
        if matches!(lease, Some(None)) {
            return Err(gone());
        }
        let Some(_call) = CallGuard::begin(self) else { return Err(gone()) };
        if fn_id >= self.function_count {
            return Ok(false);
        }
        // SAFETY: the table stays as long as the object (promised to `read` and `of_vm`), which is in use and so has not
        // ended; the caller promises the frame.
        let is_called = unsafe { self.dispatch.call(self.instance, fn_id, frame) };
        // SAFETY: the caller promises the frame, and the lease keeps the owner's code.
        unsafe { frame.keep_message() };
        Ok(is_called)
    }

    /// Lets nobody call it any more. One that is lent is not in use when this returns; one that may be kept ends with
    /// the last call.
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

    fn end(&self) {
        if self.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        // A bundle whose code is gone has been retired before, and the object ended then.
        let lease = self.owner.as_ref().map(Weak::upgrade);
        if let (Some(drop), false) = (self.drop, matches!(lease, Some(None))) {
            // SAFETY: the object's own function, whose code the lease keeps; nobody uses it any more.
            unsafe { drop(self.instance) };
        }
    }
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

/// A call that is running.
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
        // With the lock, so that whoever is about to wait does not miss it.
        drop(self.0.returning.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.returned.notify_all();
    }
}
