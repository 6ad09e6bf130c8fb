//! A provided host contract: its table and its objects.

use std::ffi::c_void;
use std::sync::{Mutex, OnceLock, PoisonError};

use polyplug_abi::{
    DispatchMechanisms, DispatchType, Entry, HostApi, HostContractId, HostContractInstance, HostContractInterface,
    StringView, Version, VmLoaderData,
};

use crate::contract::Contract;
use crate::guest::{catch, describe_panic, destroy_instance, into_raw, native_dispatch};
use crate::host::abi::interface::check_functions;
use crate::host::abi::log::report;
use crate::schema::Schema;

/// A host contract with its table and its objects.
///
/// Facts for the safety comments:
///
/// - TABLE: `interface` points into `owned`, or the caller of [`of_table`](Self::of_table) promised that it stays valid
///   until the runtime ends.
pub(crate) struct Provided {
    interface: *const HostContractInterface,
    /// The interface, if this value owns it.
    owned: Option<Owned>,
    /// The contract's schema, if it is known.
    schema: Option<Schema>,
    /// The object that all bundles share, once it is made.
    shared: OnceLock<HostContractInstance>,
    /// The lock of the thread that makes the shared object.
    making: Mutex<()>,
    /// The objects that were returned as bare pointers. They are destroyed with the runtime.
    lent: Mutex<Vec<HostContractInstance>>,
}

// SAFETY: host contracts accept calls from any thread by the ABI's contract, and the factory in `owned` is `Send +
// Sync` (a bound of `of_rust`, a promise to `of_owned`).
unsafe impl Send for Provided {}

// SAFETY: host contracts accept calls from any thread by the ABI's contract, and the factory in `owned` is `Send +
// Sync` (a bound of `of_rust`, a promise to `of_owned`). Everything that changes is behind a lock.
unsafe impl Sync for Provided {}

/// An interface on the heap, with the function that drops its user data.
struct Owned {
    interface: Box<HostContractInterface>,
    drop_data: unsafe fn(*mut c_void),
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: `drop_data` is the function for this user data (promised to `of_owned`), and is called once, here.
        unsafe { (self.drop_data)(self.interface.user_data) };
    }
}

/// A factory, which makes objects for bundles, given their names.
struct Factory<T> {
    make: Box<dyn Fn(&str) -> T + Send + Sync>,
    /// The host's own table, which is valid as long as the runtime.
    host: *const HostApi,
}

unsafe extern "C" fn create<T>(
    this: *const HostContractInterface,
    args: *const (),
    out_instance: *mut HostContractInstance,
) {
    // SAFETY: `of_rust` stores a factory of this type in `user_data`, and `args` is null or points to a view (the ABI's
    // contract).
    let (factory, name) = unsafe { (&*(*this).user_data.cast::<Factory<T>>(), args.cast::<StringView>().as_ref()) };
    // SAFETY: the caller's view is readable during the call (the ABI's contract).
    let name = name.and_then(|name| unsafe { name.bytes() }).and_then(|name| std::str::from_utf8(name).ok());
    match catch(|| (factory.make)(name.unwrap_or_default())) {
        // SAFETY: the caller passes a pointer that may be written (the ABI's contract).
        Ok(object) => unsafe { out_instance.write(HostContractInstance { data: into_raw(object, factory.host) }) },
        Err(payload) => report!(ERROR, "a host contract's factory panicked: {}", describe_panic(payload)),
    }
}

unsafe extern "C" fn destroy<T>(_: *const HostContractInterface, instance: HostContractInstance) {
    let contract_id = polyplug_abi::GuestContractId::from_u64(0); // not used
    let instance = polyplug_abi::GuestContractInstance { data: instance.data, contract_id };
    // SAFETY: `create` made the object for the same `T`, and the caller does not use the object again (the ABI's
    // contract).
    unsafe { destroy_instance::<T>(VmLoaderData::null(), std::ptr::null(), instance) };
}

impl Provided {
    /// Makes a contract that is implemented in Rust, by objects of `make`: one object for all bundles if `is_shared`,
    /// otherwise one for each proxy.
    ///
    /// # Safety
    ///
    /// `functions` must be the contract's entries for `T`.
    pub(crate) unsafe fn of_rust<C: Contract + ?Sized, T: Send + Sync + 'static>(
        host: *const HostApi,
        functions: &'static [Entry],
        is_shared: bool,
        make: Box<dyn Fn(&str) -> T + Send + Sync>,
    ) -> Self {
        unsafe fn drop_factory<T>(factory: *mut c_void) {
            // SAFETY: the pointer is from `Box::into_raw` of a box of this type below, and is dropped once.
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
        // SAFETY: the interface's functions are those for a factory of `T`, which `drop_factory` drops.
        unsafe { Self::of_owned(interface, drop_factory::<T>, Some(Schema::of::<C>())) }
    }

    /// Makes a contract with an interface that the runtime itself made.
    ///
    /// # Safety
    ///
    /// The interface's functions must be those for its user data. `drop_data` must drop the user data. Any thread may
    /// use and drop the user data.
    pub(crate) unsafe fn of_owned(
        interface: HostContractInterface,
        drop_data: unsafe fn(*mut c_void),
        schema: Option<Schema>,
    ) -> Self {
        let owned = Owned { interface: Box::new(interface), drop_data };
        Self::new(&raw const *owned.interface, Some(owned), schema)
    }

    /// Makes a contract whose table was registered through the C ABI.
    ///
    /// # Safety
    ///
    /// `interface` must be null or readable, and stay valid until the runtime ends.
    pub(crate) unsafe fn of_table(interface: *const HostContractInterface) -> Result<Self, String> {
        if interface.is_null() || !interface.is_aligned() {
            return Err("the interface is null or not aligned".to_owned());
        }
        // SAFETY: the interface is neither null nor misaligned (checked above), and it is readable with its tables (the
        // caller's promise). Its function pointers are read as numbers, as they may be null.
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
        // SAFETY: TABLE.
        unsafe { &*self.interface }
    }

    pub(crate) fn schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// Returns an object for a bundle, and whether the object is the bundle's own. An own object must be passed to
    /// [`destroy`](Self::destroy).
    pub(crate) fn instance(&self, bundle: &str) -> Result<(HostContractInstance, bool), String> {
        if self.interface().singleton == 0 {
            return self.make(bundle).map(|instance| (instance, true));
        }
        if let Some(shared) = self.shared.get() {
            return Ok((*shared, false));
        }
        // Not under the lock of the registry, as `make` runs the host's own code.
        let _one = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = self.shared.get() {
            return Ok((*shared, false));
        }
        let shared = self.make(bundle)?;
        Ok((*self.shared.get_or_init(|| shared), false))
    }

    /// Returns an object for a caller that only gets a pointer. The object is destroyed with the runtime.
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
        // SAFETY: TABLE; the arguments are a view for a factory of `of_rust`, and null for a registered table.
        unsafe { (self.interface().create_instance)(self.interface, args, &raw mut instance) };
        if instance.is_null() { Err("the host's factory made none".to_owned()) } else { Ok(instance) }
    }

    /// Destroys an object that is its caller's own.
    pub(crate) fn destroy(&self, instance: HostContractInstance) {
        // SAFETY: TABLE; this interface made the object, and the caller does not use the object again.
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
