//! A contract that the host implements.

use std::ffi::c_void;
use std::sync::{Mutex, OnceLock, PoisonError};

use polyplug_abi::{
    DispatchMechanisms, DispatchType, Entry, HostApi, HostContractId, HostContractInstance, HostContractInterface,
    StringView, Version, VmLoaderData,
};

use crate::contract::Contract;
use crate::guest::{catch, describe_panic, destroy_instance, into_raw, native_dispatch};
use crate::host::abi::interface::check_functions;
use crate::schema::Schema;

/// A contract that the host implements.
pub(crate) struct Provided {
    interface: *const HostContractInterface,
    /// What implements it, where that is ours to drop.
    owned: Option<Owned>,
    /// The contract, where it is known.
    schema: Option<Schema>,
    /// The object that serves everybody, if one does.
    shared: OnceLock<HostContractInstance>,
    making: Mutex<()>,
    /// Objects that were handed out as pointers, and end with the runtime.
    lent: Mutex<Vec<HostContractInstance>>,
}

// SAFETY: host contracts accept calls from any thread; what is owned is `Send + Sync` (see `of_rust`).
unsafe impl Send for Provided {}

// SAFETY: as for `Send`.
unsafe impl Sync for Provided {}

/// An interface on the heap, and how to end what its data leads to.
struct Owned {
    interface: Box<HostContractInterface>,
    drop_data: unsafe fn(*mut c_void),
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the user data is what this function was made for, and goes once.
        unsafe { (self.drop_data)(self.interface.user_data) };
    }
}

/// Makes objects for the bundles that it is given the names of.
struct Factory<T> {
    make: Box<dyn Fn(&str) -> T + Send + Sync>,
    /// The host's own table, which lives as long as the runtime.
    host: *const HostApi,
}

unsafe extern "C" fn create<T>(
    this: *const HostContractInterface,
    args: *const (),
    out_instance: *mut HostContractInstance,
) {
    // SAFETY: `of_rust` puts a factory of this type there; `args` is null or a view.
    let (factory, name) = unsafe { (&*(*this).user_data.cast::<Factory<T>>(), args.cast::<StringView>().as_ref()) };
    // SAFETY: the view is valid during the call.
    let name = name.and_then(|name| unsafe { name.bytes() }).and_then(|name| std::str::from_utf8(name).ok());
    match catch(|| (factory.make)(name.unwrap_or_default())) {
        // SAFETY: the caller's room.
        Ok(object) => unsafe { out_instance.write(HostContractInstance { data: into_raw(object, factory.host) }) },
        Err(payload) => tracing::error!(panic = describe_panic(payload), "a host contract's factory panicked"),
    }
}

unsafe extern "C" fn destroy<T>(_: *const HostContractInterface, instance: HostContractInstance) {
    let contract_id = polyplug_abi::GuestContractId::from_u64(0); // not looked at
    let instance = polyplug_abi::GuestContractInstance { data: instance.data, contract_id };
    // SAFETY: made by `create` for the same type, and not used again (the caller's promise).
    unsafe { destroy_instance::<T>(VmLoaderData::null(), std::ptr::null(), instance) };
}

impl Provided {
    /// A contract implemented in Rust, by objects that `make` makes: one for everybody, or one for each proxy.
    ///
    /// # Safety
    ///
    /// `functions` must be the contract's, for `T`.
    pub(crate) unsafe fn of_rust<C: Contract + ?Sized, T: Send + Sync + 'static>(
        host: *const HostApi,
        functions: &'static [Entry],
        is_shared: bool,
        make: Box<dyn Fn(&str) -> T + Send + Sync>,
    ) -> Self {
        unsafe fn drop_factory<T>(factory: *mut c_void) {
            // SAFETY: made from a box of this type below.
            drop(unsafe { Box::from_raw(factory.cast::<Factory<T>>()) });
        }
        let interface = HostContractInterface {
            contract_id: HostContractId::new(C::NAME, C::MAJOR),
            contract_version: Version::new(C::MAJOR, C::MINOR, 0),
            singleton: u8::from(is_shared),
            dispatch_type: DispatchType::Native,
            user_data: Box::into_raw(Box::new(Factory { make, host })).cast(),
            create_instance: create::<T>,
            destroy_instance: destroy::<T>,
            dispatch: DispatchMechanisms { native: native_dispatch(functions) },
        };
        // SAFETY: the interface's functions are made for the factory, which this function ends.
        unsafe { Self::of_owned(interface, drop_factory::<T>, Some(Schema::of::<C>())) }
    }

    /// A contract with an interface of our own making.
    ///
    /// # Safety
    ///
    /// The interface's functions must be fit for its data, which `drop_data` has to end.
    pub(crate) unsafe fn of_owned(
        interface: HostContractInterface,
        drop_data: unsafe fn(*mut c_void),
        schema: Option<Schema>,
    ) -> Self {
        let owned = Owned { interface: Box::new(interface), drop_data };
        Self::new(&raw const *owned.interface, Some(owned), schema)
    }

    /// A contract whose table was registered through the C ABI.
    ///
    /// # Safety
    ///
    /// `interface` must be null or readable, and stay valid until the runtime ends.
    pub(crate) unsafe fn of_table(interface: *const HostContractInterface) -> Result<Self, String> {
        if interface.is_null() || !interface.is_aligned() {
            return Err("the interface is null or not aligned".to_owned());
        }
        // SAFETY: not null and aligned (checked above), readable with its tables (the caller's promise); pointers are read
        // as numbers until they are found not null.
        unsafe {
            let create = (&raw const (*interface).create_instance).cast::<usize>().read();
            let destroy = (&raw const (*interface).destroy_instance).cast::<usize>().read();
            let dispatch_type = (&raw const (*interface).dispatch_type).read();
            check_functions(create, destroy, dispatch_type, &raw const (*interface).dispatch)?;
        }
        Ok(Self::new(interface, None, None))
    }

    fn new(interface: *const HostContractInterface, owned: Option<Owned>, schema: Option<Schema>) -> Self {
        let (shared, making, lent) = (OnceLock::new(), Mutex::default(), Mutex::default());
        Self { interface, owned, schema, shared, making, lent }
    }

    pub(crate) fn interface(&self) -> &HostContractInterface {
        // SAFETY: ours, or valid until the runtime ends by the promise made at registration.
        unsafe { &*self.interface }
    }

    pub(crate) fn schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// An object for a bundle, and whether it is the bundle's own: it then ends by [`destroy`](Self::destroy).
    pub(crate) fn instance(&self, bundle: &str) -> Result<(HostContractInstance, bool), String> {
        if self.interface().singleton == 0 {
            return self.make(bundle).map(|instance| (instance, true));
        }
        if let Some(shared) = self.shared.get() {
            return Ok((*shared, false));
        }
        // Not the lock of the registry: this is the host's own code.
        let _one = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = self.shared.get() {
            return Ok((*shared, false));
        }
        let shared = self.make(bundle)?;
        Ok((*self.shared.get_or_init(|| shared), false))
    }

    /// An object for somebody who gets no more than a pointer: it ends with the runtime.
    pub(crate) fn lend(&self, bundle: &str) -> Result<HostContractInstance, String> {
        let (instance, is_own) = self.instance(bundle)?;
        if is_own {
            self.lent.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        }
        Ok(instance)
    }

    fn make(&self, bundle: &str) -> Result<HostContractInstance, String> {
        let mut instance = HostContractInstance::null();
        let name = StringView::lend(bundle.as_bytes());
        let args = if self.owned.is_some() { (&raw const name).cast() } else { std::ptr::null() };
        // SAFETY: called as its type says; what is not ours gets no arguments.
        unsafe { (self.interface().create_instance)(self.interface, args, &raw mut instance) };
        if instance.is_null() { Err("the host's factory made none".to_owned()) } else { Ok(instance) }
    }

    /// Ends an object that is its holder's own.
    pub(crate) fn destroy(&self, instance: HostContractInstance) {
        // SAFETY: made by this interface; the holder does not use it again.
        unsafe { (self.interface().destroy_instance)(self.interface, instance) };
    }
}

impl Drop for Provided {
    fn drop(&mut self) {
        let lent = std::mem::take(self.lent.get_mut().unwrap_or_else(PoisonError::into_inner));
        for instance in lent.into_iter().chain(self.shared.take()) {
            self.destroy(instance);
        }
    }
}
