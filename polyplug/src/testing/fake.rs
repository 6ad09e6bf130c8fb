//! A loader that serves an object of the test as another bundle's plugin.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use polyplug_abi::{
    AbiError, AbiErrorCode, CallArena, DispatchMechanisms, DispatchType, Entry, GuestContractInstance,
    GuestContractInterface, HostApi, PluginDescriptor, PluginFlags, PluginRegistration, StringView, SupportedLanguage,
    Version, VmDispatch, VmLoaderData,
};

use crate::Runtime;
use crate::call_error::message_text;
use crate::contract::{Contract, Provides};
use crate::error::{LoaderError, RuntimeError};
use crate::guest::{destroy_instance, into_raw, write_error};
use crate::loader::{BundleLoader, BundleSource, ManifestData};
use crate::schema::Schema;
use crate::testing::linked::manifest;

/// Loads a bundle in which `fake` provides contract `C`.
pub(super) fn load<C: Contract + ?Sized>(runtime: &Runtime, fake: impl Provides<C>) -> Result<(), RuntimeError> {
    runtime.register_loader(Box::new(FakeLoader::<C, _> { fake: Mutex::new(Some(fake)), contract: PhantomData }))?;
    let manifest = manifest(&format!("fake-{}", C::NAME), "0.0.0", C::NAME);
    runtime.load_bundle_from(&manifest, BundleSource::Code(String::new())).map(drop)
}

/// A loader that loads one fake, once. The loader has the name of the contract.
struct FakeLoader<C: ?Sized, T> {
    fake: Mutex<Option<T>>,
    contract: PhantomData<fn(&C)>,
}

impl<C: Contract + ?Sized, T: Provides<C>> BundleLoader for FakeLoader<C, T> {
    fn loader_name(&self) -> &'static str {
        C::NAME
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        false
    }

    fn load(&self, manifest: &ManifestData, _: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        let failed = |reason| LoaderError::Failed { bundle: manifest.name.clone(), reason };
        let fake = self.fake.lock().unwrap_or_else(PoisonError::into_inner).take();
        let fake = fake.ok_or_else(|| failed("the fake has been loaded already".to_owned()))?;
        let staging = runtime.staging(manifest.id)?;
        let host = staging.host_abi();
        let served = Arc::new(Served::new::<C, T>(fake, host));
        let interface = served.interface::<C>();
        staging.keep(served);
        // SAFETY: the staging keeps the table valid while the bundle is being loaded; `staging.keep` keeps the data
        // that the interface points at.
        unsafe { register::<C>(host, &interface) }.map_err(failed)
    }

    fn reload(&self, manifest: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
        let reason = "a fake cannot be reloaded".to_owned();
        Err(LoaderError::Failed { bundle: manifest.name.clone(), reason })
    }
}

/// A fake as the one instance of a plugin.
///
/// A native plugin's functions receive only the instance that the plugin's factory made. The fake exists before the
/// bundle is loaded, so it is dispatched like a VM's object, whose functions also receive loader data.
struct Served {
    instance: GuestContractInstance,
    functions: &'static [Entry],
    host: *const HostApi,
    end: unsafe extern "C" fn(VmLoaderData, *const HostApi, GuestContractInstance),
}

// SAFETY: the object is `Send + Sync` (`Provides`), its functions may be called on any thread, and so may the table's.
unsafe impl Send for Served {}
// SAFETY: the object is `Sync` (`Provides`), and the table accepts calls from several threads (the ABI).
unsafe impl Sync for Served {}

impl Served {
    /// Boxes the fake. `host` must be valid for as long as the returned value.
    fn new<C: Contract + ?Sized, T: Provides<C>>(fake: T, host: *const HostApi) -> Self {
        let instance = GuestContractInstance { data: into_raw(fake, host), contract_id: C::ID };
        Self { instance, functions: T::FUNCTIONS, host, end: destroy_instance::<T> }
    }

    /// Makes the fake's table, which is valid for as long as `self`.
    fn interface<C: Contract + ?Sized>(self: &Arc<Self>) -> GuestContractInterface {
        let loader_data = VmLoaderData { data: Arc::as_ptr(self).cast_mut().cast() };
        GuestContractInterface {
            contract_id: C::ID,
            contract_version: Version::new(C::MAJOR, C::MINOR, 0),
            dispatch_type: DispatchType::VirtualMachine,
            create_instance,
            destroy_instance: leave,
            dispatch: DispatchMechanisms { vm: VmDispatch { call, loader_data } },
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // SAFETY: `into_raw` made the instance for the type that `end` is for; the runtime drops what a bundle keeps
        // after the bundle's last call.
        unsafe { (self.end)(VmLoaderData::null(), std::ptr::null(), self.instance) };
    }
}

// SAFETY (`Served` protocol): the runtime calls the functions below as the interface's types say, with the loader data
// of `Served::interface`, which the bundle keeps until after its last call.

unsafe extern "C" fn create_instance(
    loader_data: VmLoaderData,
    _: *const HostApi,
    _: *const (),
    out_instance: *mut GuestContractInstance,
) {
    // SAFETY: the `Served` protocol: the loader data is a `Served`, and the runtime's `out_instance` is writable.
    unsafe { out_instance.write((*loader_data.data.cast::<Served>()).instance) };
}

/// Does nothing: every instance is the fake itself, which is dropped with its bundle.
unsafe extern "C" fn leave(_: VmLoaderData, _: *const HostApi, _: GuestContractInstance) {}

unsafe extern "C" fn call(
    loader_data: VmLoaderData,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: the `Served` protocol: the loader data is a `Served`.
    let served = unsafe { &*loader_data.data.cast::<Served>() };
    match served.functions.get(fn_id as usize) {
        // SAFETY: the function is the contract's for the fake's type; the runtime follows the protocol of `Entry`.
        Some(function) => unsafe { function(instance, args, out, arena, out_err) },
        // SAFETY: the runtime follows the protocol of `Entry`; the bundle's host is valid.
        None => unsafe { write_error(out_err, served.host, arena, AbiErrorCode::FunctionNotAvailable, "") },
    }
}

/// Registers the plugin behind `interface`.
///
/// # Safety
///
/// `host` must be valid, and the data that `interface` points at must be valid for as long as the bundle's code may
/// run.
unsafe fn register<C: Contract + ?Sized>(
    host: *const HostApi,
    interface: &GuestContractInterface,
) -> Result<(), String> {
    let schema = Schema::of::<C>().encode();
    let registration = PluginRegistration {
        struct_size: size_of::<PluginRegistration>(),
        descriptor: PluginDescriptor {
            name: StringView::from_static(b"fake"),
            contract_name: StringView::from_static(C::NAME.as_bytes()),
            version: Version::new(0, 0, 0),
        },
        interface,
        flags: PluginFlags::SINGLETON,
        create: None,
        save: None,
        restore: None,
        health: None,
        schema: StringView::lend(&schema),
        reserved: std::ptr::null_mut(),
    };
    let mut error = AbiError::ok();
    // SAFETY: `host` is valid (the caller's promise); the registration and its views are alive during the call.
    unsafe { ((*host).register_plugin)(host, &raw const registration, &raw mut error) };
    if error.is_ok() {
        return Ok(());
    }
    // SAFETY: the text is in the buffer that the host keeps for this thread.
    Err(unsafe { message_text(&error) })
}
