//! Objects of contracts as arguments: lent for a call, or to be kept.

use std::any::TypeId;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::resume_unwind;
use std::ptr::NonNull;

use polyplug_abi::{
    AbiError, DropObject, Entry, GuestContractId, GuestContractInstance, HostApi, ObjectOffer, StringView,
};

use crate::call_error::{CallError, Callee};
use crate::contract::{Contract, Dispatch, Provides};
use crate::guest::context::PluginContext;
use crate::guest::instance::{Boxed, destroy_instance, into_raw};
use crate::guest::proxy::{callee_named, link};
use crate::proxy::RawProxy;
use crate::schema::{Definition, Interface, Shape, TypeRef, Types};
use crate::types::LiftError;

/// A contract whose objects can be lent for a call, as `&dyn Trait`.
///
/// # Safety
///
/// Leave it to the macro.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be an argument of a contract's method",
    label = "`{Self}` is no contract, or one with supertraits of its own",
    note = "write `#[polyplug::contract(name = \"..\", version = \"1.0\")]` on the trait, and no supertraits but `Send` and `Sync`"
)]
pub unsafe trait Object: Contract + Dispatch<Lent<Self>> {
    /// The type of the lowered value.
    type Canon: Copy;
    /// Always false: an object needs no memory beyond its lowered value.
    const NEEDS_ROOM: bool;

    /// Returns the object that implements the contract for the callee.
    fn view(remote: &Remote<Self>) -> &Self;

    /// Describes the type for the contract's schema.
    fn describe(types: &mut Types) -> TypeRef {
        define_object::<Self, Lent<Self>>(types, false)
    }

    /// Lifts the object that `form` refers to, for the duration of the call.
    ///
    /// # Errors
    ///
    /// Fails if the object is null, or of another contract.
    ///
    /// # Safety
    ///
    /// The host must be valid for as long as the object is used.
    unsafe fn lift(form: &GuestContractInstance, host: *const HostApi) -> Result<Remote<Self>, LiftError> {
        check::<Self>(form, host)?;
        // SAFETY: the host is valid (the caller's promise) and not null (`check`).
        let context = unsafe { PluginContext::retain(host) };
        // SAFETY: `check` compared the contract's id, and the host compared the schemas when it loaded the callee.
        Ok(Remote(unsafe { link::<Self>(context, form.data, Callee::Unknown, false) }))
    }
}

/// A callback, as an argument of a contract's method.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no callback that can cross",
    note = "write `polyplug::Callback<dyn Trait>`, where the trait is a contract"
)]
pub trait Kept: Sized {
    /// The type of the lowered value.
    type Canon: Copy;
    /// Always false: a callback needs no memory beyond its lowered value.
    const NEEDS_ROOM: bool;

    /// Describes the type for the contract's schema.
    fn describe(types: &mut Types) -> TypeRef;

    /// Makes a callback of the callee's own for the object that `form` refers to.
    ///
    /// # Errors
    ///
    /// Fails if the object is null, of another contract, or dropped.
    ///
    /// # Safety
    ///
    /// The host must be valid.
    unsafe fn lift(form: &GuestContractInstance, host: *const HostApi) -> Result<Self, LiftError>;
}

/// Prepares an object that a proxy is about to lend.
///
/// # Safety
///
/// The object must outlive the returned `Lending`.
pub unsafe fn lending<C: Object + ?Sized>(object: &C, proxy: &RawProxy) -> Lending<C> {
    Lending {
        object: Boxed { host: proxy.host().as_ptr(), value: Lent(object) },
        contract: C::ID,
        functions: <C as Dispatch<Lent<C>>>::FUNCTIONS,
        is_of_host: proxy.is_of_host(),
    }
}

/// A lent object on its caller's side, on which its entries are called.
pub struct Lent<C: ?Sized>(*const C);

// SAFETY: contracts are `Send + Sync`, and so are references to their objects.
unsafe impl<C: ?Sized> Send for Lent<C> {}
// SAFETY: contracts are `Sync`, so their objects may be called from several threads.
unsafe impl<C: ?Sized> Sync for Lent<C> {}

impl<C: ?Sized> Lent<C> {
    /// Returns the object.
    ///
    /// # Safety
    ///
    /// The object must still be lent.
    #[must_use]
    pub unsafe fn get(&self) -> &C {
        // SAFETY: the object is still lent (the caller's promise), so it is alive.
        unsafe { &*self.0 }
    }
}

/// A lent object on its callee's side.
pub struct Remote<C: Contract + ?Sized>(C::Proxy);

impl<C: Contract + ?Sized> Remote<C> {
    /// Returns the proxy that calls the object.
    #[must_use]
    pub fn proxy(&self) -> &C::Proxy {
        &self.0
    }
}

/// Ends the method that is running and passes `error` to the method's caller. For methods that cannot return an error.
#[cold]
pub fn unwind<R>(error: CallError) -> R {
    resume_unwind(Box::new(error))
}

/// An object that is about to be lent.
pub struct Lending<C: ?Sized> {
    object: Boxed<Lent<C>>,
    contract: GuestContractId,
    functions: &'static [Entry],
    /// True if the host lends the object, through the table of the bundle that it calls.
    is_of_host: bool,
}

// No bounds here: a type that is not a contract is rejected once, by the bounds of `lending`.
impl<C: ?Sized> Lending<C> {
    /// Lends the object until the returned value is dropped.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has ended.
    pub fn lend(&self) -> Result<OnLoan<'_>, CallError> {
        let data = (&raw const self.object).cast_mut().cast();
        let host = NonNull::new(self.object.host.cast_mut()).expect("made from one that is not null");
        let instance = GuestContractInstance { data, contract_id: self.contract };
        // SAFETY: the proxy that is calling keeps the host's table valid. The borrow of `self` keeps the object in
        // place, and `lending` took the entries for the object's type.
        let token = unsafe { offer(host.as_ptr(), instance, self.functions, None, self.is_of_host) }?;
        let form = GuestContractInstance { data: token, contract_id: self.contract };
        Ok(OnLoan { host, form, _object: PhantomData })
    }
}

/// An object that is lent.
pub struct OnLoan<'a> {
    host: NonNull<HostApi>,
    form: GuestContractInstance,
    _object: PhantomData<&'a ()>,
}

impl OnLoan<'_> {
    /// Returns the lowered value.
    #[must_use]
    pub fn form(&self) -> GuestContractInstance {
        self.form
    }
}

impl Drop for OnLoan<'_> {
    fn drop(&mut self) {
        // Waits for the calls of the object that are running.
        // SAFETY: the proxy that is calling keeps the host's table valid; the token is not used again.
        unsafe { (self.host.as_ref().close_proxy)(self.host.as_ptr(), self.form.data) };
    }
}

/// Offers an object to be called by others. Returns its token.
///
/// # Safety
///
/// The host must be valid. The entries must be for the instance, which must be valid until the host calls `drop`, or
/// until the token is closed if there is no `drop`.
unsafe fn offer(
    host: *const HostApi,
    instance: GuestContractInstance,
    functions: &'static [Entry],
    drop: Option<DropObject>,
    is_of_host: bool,
) -> Result<*mut c_void, CallError> {
    let offer = ObjectOffer {
        struct_size: size_of::<ObjectOffer>(),
        instance,
        functions: functions.as_ptr(),
        function_count: functions.len() as u32,
        by_host: u32::from(is_of_host),
        drop,
    };
    let mut error = AbiError::ok();
    // SAFETY: the host is valid, and the offer is as its type demands (the caller's promise).
    let token = unsafe { ((*host).offer_object)(host, &raw const offer, &raw mut error) };
    if error.is_ok() {
        return Ok(token);
    }
    // SAFETY: the text is in the buffer that the host keeps for this thread.
    Err(unsafe { CallError::reported(|| Callee::Host, String::new(), crate::Version::default(), &error) })
}

fn check<C: Contract + ?Sized>(form: &GuestContractInstance, host: *const HostApi) -> Result<(), LiftError> {
    if form.data.is_null() || host.is_null() {
        return Err(LiftError::new("the object is null"));
    }
    if form.contract_id != C::ID {
        return Err(LiftError::new("the object is of another contract"));
    }
    Ok(())
}

/// An object of contract `C` that its callee may keep and call at any time, for progress, events, streams. A contract's
/// method takes one as an argument `Callback<dyn C>` or `&Callback<dyn C>`.
///
/// Each of the contract's methods can be called on a callback, and returns a `Result`. The object is dropped with its
/// last callback. The object is *weak* towards the bundle whose code it runs: when the bundle is reloaded or unloaded,
/// the object ends, and calls fail with [`CallError::Unloaded`].
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use polyplug::{CallError, Callback};
///
/// #[polyplug::contract(name = "demo.progress", version = "1.0")]
/// pub trait Progress {
///     fn step(&self, done: u32, all: u32) -> bool;
/// }
///
/// #[polyplug::contract(name = "demo.worker", version = "1.0")]
/// pub trait Worker {
///     /// Reports each item to `progress`, now or later, until `step` returns false.
///     fn start(&self, items: u32, progress: Callback<dyn Progress>) -> u32;
///     /// Reports each item to `progress` before it returns.
///     fn work(&self, items: u32, progress: &dyn Progress) -> u32;
/// }
///
/// #[derive(Default)]
/// struct Basic;
///
/// #[polyplug::plugin]
/// impl Worker for Basic {
///     fn start(&self, items: u32, progress: Callback<dyn Progress>) -> u32 {
///         (0..items).take_while(|item| progress.step(*item, items) == Ok(true)).count() as u32
///     }
///
///     fn work(&self, items: u32, progress: &dyn Progress) -> u32 {
///         (0..items).take_while(|item| progress.step(*item, items)).count() as u32
///     }
/// }
///
/// struct Limit(AtomicU32);
///
/// impl Progress for Limit {
///     fn step(&self, _: u32, _: u32) -> bool {
///         self.0.fetch_sub(1, Ordering::Relaxed) > 0
///     }
/// }
///
/// # #[cfg(feature = "host")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = polyplug::Runtime::builder().build()?;
/// runtime.load_linked_plugins()?;
/// let worker = runtime.proxy::<dyn Worker>()?;
/// assert_eq!(worker.work(10, &Limit(AtomicU32::new(3)))?, 3);
/// let limit = runtime.callback::<dyn Progress>(Limit(AtomicU32::new(4)))?;
/// assert_eq!(worker.start(10, limit)?, 4);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "host"))]
/// # fn main() {}
/// ```
pub struct Callback<C: Contract + ?Sized> {
    proxy: C::Proxy,
    form: GuestContractInstance,
}

impl<C: Contract + ?Sized> Callback<C> {
    /// Makes a callback of `object`. The object is dropped with the last callback that refers to it.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has ended.
    pub fn new<T: Provides<C>>(context: &PluginContext, object: T) -> Result<Self, CallError> {
        unsafe extern "C" fn end<T>(instance: GuestContractInstance) {
            // SAFETY: made below for the same type, and not used again.
            unsafe { destroy_instance::<T>(polyplug_abi::VmLoaderData::null(), std::ptr::null(), instance) };
        }
        let host = context.host_abi();
        let instance = GuestContractInstance { data: into_raw(object, host), contract_id: C::ID };
        // SAFETY: the context keeps the host's table valid, through which the object reports errors; an object that is
        // dropped later reports none. `Provides` has the entries for the object's type.
        match unsafe { offer(host, instance, T::FUNCTIONS, Some(end::<T>), false) } {
            // SAFETY: the token is that of the object just offered, which is of this contract.
            Ok(token) => Ok(unsafe { Self::of_token(context.clone(), token, Callee::Unknown) }),
            Err(error) => {
                // SAFETY: made above, and not passed on, because the offer failed.
                unsafe { end::<T>(instance) };
                Err(error)
            }
        }
    }

    /// Makes a callback that owns `token`, and closes it.
    ///
    /// # Safety
    ///
    /// The token must be that of an object of this contract, and owned by the caller.
    unsafe fn of_token(context: PluginContext, token: *mut c_void, callee: Callee) -> Self {
        // SAFETY: the token is of this contract and owned (the caller's promise).
        let proxy = unsafe { link::<C>(context, token, callee, true) };
        Self { proxy, form: GuestContractInstance { data: token, contract_id: C::ID } }
    }

    /// Returns the lowered value, which is valid for a call that borrows this callback.
    #[doc(hidden)]
    #[must_use]
    pub fn form(&self) -> GuestContractInstance {
        self.form
    }
}

impl<C: Contract + ?Sized> Kept for Callback<C> {
    type Canon = GuestContractInstance;
    const NEEDS_ROOM: bool = false;

    fn describe(types: &mut Types) -> TypeRef {
        define_object::<C, Self>(types, true)
    }

    unsafe fn lift(form: &GuestContractInstance, host: *const HostApi) -> Result<Self, LiftError> {
        check::<C>(form, host)?;
        let (mut bundle, mut error) = (StringView::null(), AbiError::ok());
        // SAFETY: the host is valid (the caller's promise) and not null (`check`).
        let token = unsafe { ((*host).share_object)(host, form.data, &raw mut bundle, &raw mut error) };
        if !error.is_ok() {
            // SAFETY: the text is in the buffer that the host keeps for this thread.
            return Err(LiftError::new(unsafe { crate::call_error::message_text(&error) }));
        }
        // SAFETY: the name is in the buffer that the host keeps for this thread.
        let callee = unsafe { callee_named(bundle) };
        // SAFETY: the host is valid (the caller's promise). `check` compared the contract's id, and the host compared
        // the schemas when it loaded the callee; the token from `share_object` is owned.
        Ok(unsafe { Self::of_token(PluginContext::retain(host), token, callee) })
    }
}

impl<C: Contract + ?Sized> Deref for Callback<C> {
    type Target = C::Proxy;

    fn deref(&self) -> &C::Proxy {
        &self.proxy
    }
}

impl<C: Contract + ?Sized> Clone for Callback<C> {
    /// Makes another callback of the same object.
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), form: self.form }
    }
}

impl<C: Contract + ?Sized> std::fmt::Debug for Callback<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Callback({})", C::NAME)
    }
}

/// Returns a reference to the definition of objects of contract `C`. `Key` identifies the definition, which differs
/// for lent and kept objects. A contract's methods may take objects of the contract itself.
fn define_object<C: Contract + ?Sized, Key: 'static>(types: &mut Types, kept: bool) -> TypeRef {
    types.define_once(TypeId::of::<Key>(), |types| {
        let info = C::info();
        let methods = (info.methods_in)(types);
        let name = info.name.rsplit('.').next().unwrap_or_default();
        let interface = Interface { contract: info.name.to_owned(), major: info.major, kept, methods };
        Definition::new(name, "", Shape::Object(interface))
    })
}
