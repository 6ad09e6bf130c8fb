//! Objects of contracts that a caller gives to its callee: lent for a call, or to be kept.

use std::any::TypeId;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::resume_unwind;
use std::ptr::NonNull;

use polyplug_abi::{
    AbiError, DropObject, Entry, GuestContractId, GuestContractInstance, HostApi, ObjectOffer, StringView,
};

use crate::CallError;
use crate::contract::{Contract, Dispatch, Provides};
use crate::guest::context::PluginContext;
use crate::guest::instance::{Boxed, destroy_instance, into_raw};
use crate::guest::proxy::link;
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
    /// The canonical form.
    type Canon: Copy;
    /// Nothing beyond the form.
    const NEEDS_ROOM: bool;

    /// What the callee sees as an object that implements the contract.
    fn view(remote: &Remote<Self>) -> &Self;

    /// The type in the language-neutral description of a contract.
    fn describe(types: &mut Types) -> TypeRef {
        define_object::<Self, Lent<Self>>(types, false)
    }

    /// The object that `form` stands for, as its callee sees it for the call.
    ///
    /// # Errors
    ///
    /// It is null, or of another contract.
    ///
    /// # Safety
    ///
    /// The host must be valid, for as long as the object is used.
    unsafe fn lift(form: &GuestContractInstance, host: *const HostApi) -> Result<Remote<Self>, LiftError> {
        check::<Self>(form, host)?;
        // SAFETY: the caller's promise.
        let context = unsafe { PluginContext::retain(host) };
        // SAFETY: the contract was held against that of the caller when the callee was loaded.
        Ok(Remote(unsafe { link::<Self>(context, form.data, String::new(), false) }))
    }
}

/// A callback, as an argument of a contract's method.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no callback that can cross",
    note = "write `polyplug::Callback<dyn Trait>`, where the trait is a contract"
)]
pub trait Kept: Sized {
    /// The canonical form.
    type Canon: Copy;
    /// Nothing beyond the form.
    const NEEDS_ROOM: bool;

    /// The type in the language-neutral description of a contract.
    fn describe(types: &mut Types) -> TypeRef;

    /// A callback of the callee's own for the object that `form` stands for.
    ///
    /// # Errors
    ///
    /// It is null, of another contract, or gone.
    ///
    /// # Safety
    ///
    /// The host must be valid.
    unsafe fn lift(form: &GuestContractInstance, host: *const HostApi) -> Result<Self, LiftError>;
}

/// Takes hold of an object that a proxy is about to lend.
///
/// # Safety
///
/// The object must outlive what is returned.
pub unsafe fn lending<C: Object + ?Sized>(object: &C, proxy: &RawProxy) -> Lending<C> {
    Lending {
        object: Boxed { host: proxy.host().as_ptr(), value: Lent(object) },
        contract: C::ID,
        functions: <C as Dispatch<Lent<C>>>::FUNCTIONS,
    }
}

/// An object on its caller's side, as its entries find it.
pub struct Lent<C: ?Sized>(*const C);

// SAFETY: contracts are `Send + Sync`, and so are references to their objects.
unsafe impl<C: ?Sized> Send for Lent<C> {}
// SAFETY: as for `Send`.
unsafe impl<C: ?Sized> Sync for Lent<C> {}

impl<C: ?Sized> Lent<C> {
    /// The object.
    ///
    /// # Safety
    ///
    /// It must still be lent.
    #[must_use]
    pub unsafe fn get(&self) -> &C {
        // SAFETY: the caller's promise.
        unsafe { &*self.0 }
    }
}

/// An object on its callee's side.
pub struct Remote<C: Contract + ?Sized>(C::Proxy);

impl<C: Contract + ?Sized> Remote<C> {
    /// The way to it.
    #[must_use]
    pub fn proxy(&self) -> &C::Proxy {
        &self.0
    }
}

/// Ends the method that is running, whose own caller is told. For methods that cannot return an error.
#[cold]
pub fn unwind<R>(error: CallError) -> R {
    resume_unwind(Box::new(error))
}

/// An object that is about to be lent.
pub struct Lending<C: ?Sized> {
    object: Boxed<Lent<C>>,
    contract: GuestContractId,
    functions: &'static [Entry],
}

// Demands nothing of the contract: what is none is refused once, where this is made.
impl<C: ?Sized> Lending<C> {
    /// Lends it until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// The runtime has ended.
    pub fn lend(&self) -> Result<OnLoan<'_>, CallError> {
        let data = (&raw const self.object).cast_mut().cast();
        let host = NonNull::new(self.object.host.cast_mut()).expect("made from one that is not null");
        let instance = GuestContractInstance { data, contract_id: self.contract };
        // SAFETY: the host's table is valid while its proxy is, which is calling. The object stays where it is while
        // this is borrowed, and the entries are those for it.
        let token = unsafe { offer(host.as_ptr(), instance, self.functions, None) }?;
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
    /// What is handed over.
    #[must_use]
    pub fn form(&self) -> GuestContractInstance {
        self.form
    }
}

impl Drop for OnLoan<'_> {
    fn drop(&mut self) {
        // SAFETY: the table is valid while the proxy that is calling is. Waits for whoever calls the object.
        unsafe { (self.host.as_ref().close_proxy)(self.host.as_ptr(), self.form.data) };
    }
}

/// Offers an object to be called by others; its token.
///
/// # Safety
///
/// The host must be valid. The entries must be for the instance, which must live as the offer's `drop` says.
unsafe fn offer(
    host: *const HostApi,
    instance: GuestContractInstance,
    functions: &'static [Entry],
    drop: Option<DropObject>,
) -> Result<*mut c_void, CallError> {
    let offer = ObjectOffer {
        struct_size: size_of::<ObjectOffer>(),
        instance,
        functions: functions.as_ptr(),
        function_count: functions.len() as u32,
        reserved: 0,
        drop,
    };
    let mut error = AbiError::ok();
    // SAFETY: the caller's promise.
    let token = unsafe { ((*host).offer_object)(host, &raw const offer, &raw mut error) };
    if error.is_ok() {
        return Ok(token);
    }
    // SAFETY: the text is in the buffer that the host keeps for this thread.
    Err(unsafe { CallError::reported("an object".to_owned(), crate::Version::default(), &error, || "host".to_owned()) })
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

/// An object of contract `C` that may be kept and called at any time: given to a callee as an argument
/// `Callback<dyn C>` or `&Callback<dyn C>` of a contract's method, for progress, events, streams.
///
/// Whoever has one calls the contract's methods on it, each of which returns a `Result`. The object lives while anybody
/// has one; but it is *weak* towards the bundle whose code it is: when that is reloaded or unloaded, the object ends, and
/// calls answer [`CallError::Unloaded`].
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
///     /// Tells `progress` about each item, whenever it gets to it, until that says no.
///     fn start(&self, items: u32, progress: Callback<dyn Progress>) -> u32;
///     /// The same within the call.
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
    /// Makes an object to be given to others. It ends when this, and all that were made of it, are gone.
    ///
    /// # Errors
    ///
    /// The runtime has ended.
    pub fn new<T: Provides<C>>(context: &PluginContext, object: T) -> Result<Self, CallError> {
        unsafe extern "C" fn end<T>(instance: GuestContractInstance) {
            // SAFETY: made below for the same type, and not used again.
            unsafe { destroy_instance::<T>(polyplug_abi::VmLoaderData::null(), std::ptr::null(), instance) };
        }
        let host = context.host_abi();
        let instance = GuestContractInstance { data: into_raw(object, host), contract_id: C::ID };
        // SAFETY: the context keeps its table valid, which the object's errors go by; an object that ends later than
        // that has nobody to tell. The entries are those for the object.
        match unsafe { offer(host, instance, T::FUNCTIONS, Some(end::<T>)) } {
            // SAFETY: the token is that of an object of this contract.
            Ok(token) => Ok(unsafe { Self::of_token(context.clone(), token, String::new()) }),
            Err(error) => {
                // SAFETY: made just now, and given to nobody.
                unsafe { end::<T>(instance) };
                Err(error)
            }
        }
    }

    /// # Safety
    ///
    /// The token must be that of an object of this contract, and is this callback's to close.
    unsafe fn of_token(context: PluginContext, token: *mut c_void, bundle: String) -> Self {
        // SAFETY: the caller's promise.
        let proxy = unsafe { link::<C>(context, token, bundle, true) };
        Self { proxy, form: GuestContractInstance { data: token, contract_id: C::ID } }
    }

    /// What is handed over. Valid for a call that borrows this.
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
        // SAFETY: the caller's promise.
        let token = unsafe { ((*host).share_object)(host, form.data, &raw mut bundle, &raw mut error) };
        if !error.is_ok() {
            // SAFETY: the text is in the buffer that the host keeps for this thread.
            return Err(LiftError::new(unsafe { crate::call_error::message_text(&error) }));
        }
        // SAFETY: the name is in the same buffer.
        let bundle = unsafe { bundle.bytes() }.map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        // SAFETY: the caller's promise. The contract was held against that of the caller when the callee was loaded.
        Ok(unsafe { Self::of_token(PluginContext::retain(host), token, bundle) })
    }
}

impl<C: Contract + ?Sized> Deref for Callback<C> {
    type Target = C::Proxy;

    fn deref(&self) -> &C::Proxy {
        &self.proxy
    }
}

impl<C: Contract + ?Sized> Clone for Callback<C> {
    /// Shares the object.
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), form: self.form }
    }
}

impl<C: Contract + ?Sized> std::fmt::Debug for Callback<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Callback({})", C::NAME)
    }
}

/// Returns a reference to the objects of contract `C`, lent or kept, told apart by `Key`. A contract's methods may take
/// objects of the contract itself.
fn define_object<C: Contract + ?Sized, Key: 'static>(types: &mut Types, kept: bool) -> TypeRef {
    types.define_once(TypeId::of::<Key>(), |types| {
        let info = C::info();
        let methods = (info.methods_in)(types);
        let name = info.name.rsplit('.').next().unwrap_or_default();
        let interface = Interface { contract: info.name.to_owned(), major: info.major, kept, methods };
        Definition::new(name, "", Shape::Object(interface))
    })
}
