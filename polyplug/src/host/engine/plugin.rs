//! The plugins that an engine runs, as the runtime calls them.

use std::ffi::c_void;
use std::marker::PhantomData;
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
use super::vm_set::VmSet;
use crate::guest::{catch, describe_panic};
use crate::host::abi::dispatch::CallFrame;
use crate::host::plugin::plugin::EnginePlugin;

/// A plugin of a bundle, behind the loader data of its interface.
pub(crate) struct VmPlugin<E: Engine, V: VmSet<E>> {
    vms: V,
    /// The number of the plugin in the order of declaration.
    number: usize,
    contract: KnownContract,
    contract_id: GuestContractId,
    /// True if the state of instances can be saved and restored.
    keeps_state: bool,
    _engine: PhantomData<fn() -> E>,
}

impl<E: Engine, V: VmSet<E>> VmPlugin<E, V> {
    /// Makes the plugin with this number in the order of declaration, which is prepared in all of `vms`.
    pub(crate) fn new(vms: V, number: usize, contract: KnownContract, keeps_state: bool) -> Arc<Self> {
        let contract_id = GuestContractId::new(&contract.schema.name, contract.schema.major);
        Arc::new(Self { vms, number, contract, contract_id, keeps_state, _engine: PhantomData })
    }

    /// Makes the table of this plugin. The plugin must not move or be dropped while the table is used.
    pub(crate) fn interface(self: &Arc<Self>) -> GuestContractInterface {
        let loader_data = VmLoaderData { data: Arc::as_ptr(self).cast_mut().cast::<c_void>() };
        let schema = &self.contract.schema;
        GuestContractInterface {
            contract_id: self.contract_id,
            contract_version: Version::new(schema.major, schema.minor, 0),
            dispatch_type: DispatchType::VirtualMachine,
            create_instance: create_instance::<E, V>,
            destroy_instance: destroy_instance::<E, V>,
            dispatch: DispatchMechanisms { vm: VmDispatch { call: call::<E, V>, loader_data } },
        }
    }

    /// Returns the objects of an instance.
    ///
    /// # Safety
    ///
    /// `instance` must be an instance of this plugin that has not ended.
    unsafe fn objects(&self, instance: GuestContractInstance) -> &V::Instance {
        // SAFETY: `Self::make` made the instance of a box of this type, which the caller promises has not ended.
        unsafe { &*instance.data.cast::<V::Instance>() }
    }

    fn make(&self, make: impl Fn(&E) -> Result<E::Object, Fault>) -> Result<GuestContractInstance, String> {
        let made = guarded(|| self.vms.make(make)).map_err(|fault| fault.describe(self.vms.places()))?;
        Ok(GuestContractInstance { data: Box::into_raw(Box::new(made)).cast(), contract_id: self.contract_id })
    }
}

impl<E: Engine, V: VmSet<E>> EnginePlugin for VmPlugin<E, V> {
    fn create(&self) -> Result<GuestContractInstance, String> {
        self.make(|engine| engine.create(self.number))
    }

    fn keeps_state(&self) -> bool {
        self.keeps_state
    }

    fn waits_for(&self, thread: usize) -> bool {
        self.vms.waits_for(thread)
    }

    fn workers(&self) -> usize {
        self.vms.count()
    }

    unsafe fn save(&self, instance: GuestContractInstance) -> Result<Vec<u8>, String> {
        // SAFETY: the caller promises an instance of this plugin that has not ended.
        let objects = unsafe { self.objects(instance) };
        let saved = guarded(|| self.vms.run(objects, |engine, object| engine.save(self.number, object)));
        saved.map_err(|fault| fault.describe(self.vms.places()))
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

unsafe extern "C" fn create_instance<E: Engine, V: VmSet<E>>(
    loader_data: VmLoaderData,
    _: *const HostApi,
    _: *const (),
    out_instance: *mut GuestContractInstance,
) {
    // SAFETY: the loader-data invariant.
    let plugin = unsafe { &*loader_data.data.cast::<VmPlugin<E, V>>() };
    let instance = plugin.create().unwrap_or_else(|_| GuestContractInstance::null());
    if !out_instance.is_null() {
        // SAFETY: `out_instance` is not null, and writable by the protocol.
        unsafe { out_instance.write(instance) };
    }
}

unsafe extern "C" fn destroy_instance<E: Engine, V: VmSet<E>>(
    loader_data: VmLoaderData,
    _: *const HostApi,
    instance: GuestContractInstance,
) {
    if instance.is_null() {
        return;
    }
    // SAFETY: the loader-data invariant. `VmPlugin::make` made the instance of a box of this type, and by the protocol
    // the caller does not use the instance again.
    let (plugin, objects) =
        unsafe { (&*loader_data.data.cast::<VmPlugin<E, V>>(), Box::from_raw(instance.data.cast::<V::Instance>())) };
    plugin.vms.end(*objects);
}

unsafe extern "C" fn call<E: Engine, V: VmSet<E>>(
    loader_data: VmLoaderData,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: the loader-data invariant.
    let plugin = unsafe { &*loader_data.data.cast::<VmPlugin<E, V>>() };
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
    let objects = unsafe { plugin.objects(instance) };
    // SAFETY: the caller follows the protocol of `VmCall` for this method.
    unsafe {
        let call = IncomingCall::new(contract, &contract.schema.methods[number], method, number, frame);
        run(frame, plugin.vms.places(), || {
            plugin.vms.run(objects, |engine, object| {
                let outcome = engine.call(plugin.number, object, &call);
                outcome.map_err(|fault| fault.returned_at(|| engine.place(plugin.number, object, &call)))
            })
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
