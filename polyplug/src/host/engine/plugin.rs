//! The plugins that an engine runs, as the runtime calls them.

use std::ffi::c_void;
use std::sync::Arc;

use polyplug_abi::{
    AbiError, AbiErrorCode, CallArena, DispatchMechanisms, DispatchType, GuestContractId, GuestContractInstance,
    GuestContractInterface, HostApi, Version, VmDispatch, VmLoaderData,
};

use super::engine::Engine;
use super::fault::Fault;
use super::incoming_call::IncomingCall;
use super::known_contract::KnownContract;
use super::places::Places;
use super::vm::Vm;
use crate::guest::{catch, describe_panic};
use crate::host::abi::dispatch::CallFrame;
use crate::host::plugin::plugin::EnginePlugin;

/// A plugin of a bundle, behind the loader data of its interface.
pub(crate) struct VmPlugin<E: Engine> {
    pub(crate) vm: Arc<Vm<E>>,
    /// The number of the plugin in the order of declaration.
    pub(crate) number: usize,
    pub(crate) contract: KnownContract,
    pub(crate) contract_id: GuestContractId,
    /// True if the state of instances can be saved and restored.
    pub(crate) keeps_state: bool,
}

impl<E: Engine> VmPlugin<E> {
    /// Makes the table of this plugin. The plugin must not move or be dropped while the table is used.
    pub(crate) fn interface(self: &Arc<Self>) -> GuestContractInterface {
        let loader_data = VmLoaderData { data: Arc::as_ptr(self).cast_mut().cast::<c_void>() };
        let schema = &self.contract.schema;
        GuestContractInterface {
            contract_id: self.contract_id,
            contract_version: Version::new(schema.major, schema.minor, 0),
            dispatch_type: DispatchType::VirtualMachine,
            create_instance: create_instance::<E>,
            destroy_instance: destroy_instance::<E>,
            dispatch: DispatchMechanisms { vm: VmDispatch { call: call::<E>, loader_data } },
        }
    }

    /// Returns the object of an instance.
    ///
    /// # Safety
    ///
    /// `instance` must be an instance of this plugin that has not ended.
    unsafe fn object(&self, instance: GuestContractInstance) -> &E::Object {
        // SAFETY: `Self::instance` made the instance of a box of this type, which the caller promises has not ended.
        unsafe { &*instance.data.cast::<E::Object>() }
    }

    fn instance(&self, object: E::Object) -> GuestContractInstance {
        GuestContractInstance { data: Box::into_raw(Box::new(object)).cast(), contract_id: self.contract_id }
    }

    fn make(&self, make: impl FnOnce(&E) -> Result<E::Object, Fault>) -> Result<GuestContractInstance, String> {
        let made = guarded(|| make(&*self.vm.enter()?));
        made.map(|object| self.instance(object)).map_err(|fault| fault.describe(self.vm.places()))
    }
}

impl<E: Engine> EnginePlugin for VmPlugin<E> {
    fn create(&self) -> Result<GuestContractInstance, String> {
        self.make(|engine| engine.create(self.number))
    }

    fn keeps_state(&self) -> bool {
        self.keeps_state
    }

    fn waits_for(&self, thread: usize) -> bool {
        self.vm.waits_for(thread)
    }

    unsafe fn save(&self, instance: GuestContractInstance) -> Result<Vec<u8>, String> {
        // SAFETY: the caller promises an instance of this plugin that has not ended.
        let object = unsafe { self.object(instance) };
        guarded(|| self.vm.enter()?.save(self.number, object)).map_err(|fault| fault.describe(self.vm.places()))
    }

    fn restore(&self, state: &[u8], from: Version) -> Result<GuestContractInstance, String> {
        self.make(|engine| engine.restore(self.number, state, from))
    }
}

/// Runs an engine's code, and turns a panic into a fault. The functions of [`Engine`] are guarded by their callers; an
/// engine guards the functions that its VM calls, where a panic must not pass frames of the VM.
///
/// # Errors
///
/// The error of `body`, or its panic.
pub fn guarded<R>(body: impl FnOnce() -> Result<R, Fault>) -> Result<R, Fault> {
    catch(body)
        .unwrap_or_else(|payload| Err(Fault::new(format_args!("the loader panicked: {}", describe_panic(payload)))))
}

// Loader-data invariant: `VmPlugin::interface` put the plugin's address into the loader data that the functions below
// get, and the runtime keeps the plugin as long as the interface.

unsafe extern "C" fn create_instance<E: Engine>(
    loader_data: VmLoaderData,
    _: *const HostApi,
    _: *const (),
    out_instance: *mut GuestContractInstance,
) {
    // SAFETY: the loader-data invariant.
    let plugin = unsafe { &*loader_data.data.cast::<VmPlugin<E>>() };
    let instance = plugin.create().unwrap_or_else(|_| GuestContractInstance::null());
    if !out_instance.is_null() {
        // SAFETY: `out_instance` is not null, and writable by the protocol.
        unsafe { out_instance.write(instance) };
    }
}

unsafe extern "C" fn destroy_instance<E: Engine>(
    loader_data: VmLoaderData,
    _: *const HostApi,
    instance: GuestContractInstance,
) {
    if instance.is_null() {
        return;
    }
    // SAFETY: the loader-data invariant. `VmPlugin::instance` made the instance of a box of this type, and by the
    // protocol the caller does not use the instance again.
    let (plugin, object) =
        unsafe { (&*loader_data.data.cast::<VmPlugin<E>>(), Box::from_raw(instance.data.cast::<E::Object>())) };
    plugin.vm.end(*object);
}

unsafe extern "C" fn call<E: Engine>(
    loader_data: VmLoaderData,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: the loader-data invariant.
    let plugin = unsafe { &*loader_data.data.cast::<VmPlugin<E>>() };
    let contract = &plugin.contract;
    let frame = CallFrame { args, out, arena, out_err };
    let number = fn_id as usize;
    let Some(method) = contract.plan.methods().get(number) else {
        // SAFETY: the caller follows the protocol of `VmCall`.
        return unsafe { frame.fail(AbiErrorCode::FunctionNotAvailable as u32, "") };
    };
    if instance.is_null() {
        // The instance of a factory that failed.
        // SAFETY: the caller follows the protocol of `VmCall`.
        return unsafe { frame.fail(AbiErrorCode::InvalidPointer as u32, "") };
    }
    // SAFETY: the runtime calls only instances of this plugin that have not ended.
    let object = unsafe { plugin.object(instance) };
    // SAFETY: the caller follows the protocol of `VmCall` for this method.
    unsafe {
        let call = IncomingCall::new(contract, &contract.schema.methods[number], method, number, frame);
        run(frame, plugin.vm.places(), || {
            let engine = plugin.vm.enter()?;
            let outcome = engine.call(plugin.number, object, &call);
            outcome.map_err(|fault| fault.returned_at(|| engine.place(plugin.number, object, &call)))
        });
    }
}

/// Runs a call in an engine, and reports its fault with the names that `places` gives to files.
///
/// # Safety
///
/// The arena of `frame` must be valid or null, and its `out_err` writable or null.
#[inline(always)]
pub(crate) unsafe fn run(frame: CallFrame, places: &Places, call: impl FnOnce() -> Result<(), Fault>) {
    if let Err(fault) = guarded(call) {
        // SAFETY: the caller promises a valid or null arena, and a writable or null `out_err`.
        unsafe { frame.fail(fault.code() as u32, &fault.text(places)) };
    }
}
