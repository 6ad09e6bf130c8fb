//! Plugins whose code works on canonical memory itself. The host neither lifts their arguments nor checks their
//! results.
//!
//! Callers know an instance by a token, so that a token whose instance has ended, or that was never given out, is
//! refused. The null token stands for the default instance.

use std::ffi::c_void;
use std::sync::Arc;

use polyplug_abi::{
    AbiError, AbiErrorCode, CallArena, DispatchMechanisms, DispatchType, GuestContractId, GuestContractInstance,
    GuestContractInterface, HostApi, Version, VmDispatch, VmLoaderData,
};

use super::fault::Fault;
use super::places::Places;
use super::plugin::guarded;
use crate::host::abi::dispatch::CallFrame;
use crate::host::abi::log::report;
use crate::host::abi::slot_map::SlotMap;
use crate::host::plugin::plugin::EnginePlugin;
use crate::host::runtime::context::HostContext;

/// A plugin whose code reads its arguments from canonical memory and writes its results there.
///
/// The loader makes the plugin and passes it to [`load_either`](crate::engine::load_either). The plugin is dropped when
/// no thread can run its code any more. While the last plugin of a bundle is dropped, the loader measures whether the
/// bundle's code is gone, and calls [`Guest::record_end`](crate::engine::Guest::record_end). Any thread may call the methods, several threads at a time, and a thread again
/// while it is in a call. A panic of a method is turned into a [`Fault`] of that method. A panic of [`end`](Self::end)
/// is logged.
pub trait LowLevel: Send + Sync + 'static {
    /// An instance.
    type Instance: Send + Sync + 'static;

    /// Returns the number of functions. Calls of functions with other numbers are refused.
    fn functions(&self) -> usize;

    /// Makes an instance. Called once when the bundle is loaded, for the default instance.
    ///
    /// # Errors
    ///
    /// The plugin's own code refuses.
    fn create(&self) -> Result<Self::Instance, Fault>;

    /// Ends an instance, on any thread: when the instance is destroyed, or at the end of the last call of it that runs
    /// then.
    fn end(&self, instance: Self::Instance);

    /// Calls a function. The caller promises the canonical layouts that the contract describes, which the host cannot
    /// check.
    ///
    /// # Errors
    ///
    /// The plugin's own code fails. An exception reaches the caller with the code `Generic`.
    fn call(
        &self,
        instance: &Self::Instance,
        function: usize,
        args: *const (),
        out: *mut (),
        arena: *mut CallArena,
    ) -> Result<(), Fault>;
}

/// A low-level plugin, behind the loader data of its interface.
pub(crate) struct LowLevelPlugin<P: LowLevel> {
    instances: SlotMap<LowLevelInstance<P>>,
    default: LowLevelInstance<P>,
    pub(crate) contract_id: GuestContractId,
    major: u32,
    /// The context whose runtime records failures that cannot be returned.
    context: Arc<HostContext>,
    code: Arc<P>,
}

/// An instance that is ended when it is dropped.
struct LowLevelInstance<P: LowLevel> {
    instance: Option<P::Instance>,
    code: Arc<P>,
    places: Arc<Places>,
}

impl<P: LowLevel> LowLevelInstance<P> {
    fn create(code: &Arc<P>, places: &Arc<Places>) -> Result<Self, Fault> {
        let instance = guarded(|| code.create())?;
        Ok(Self { instance: Some(instance), code: Arc::clone(code), places: Arc::clone(places) })
    }

    fn instance(&self) -> &P::Instance {
        self.instance.as_ref().expect("there until it is dropped")
    }
}

impl<P: LowLevel> Drop for LowLevelInstance<P> {
    fn drop(&mut self) {
        let Some(instance) = self.instance.take() else { return };
        let ended = guarded(|| {
            self.code.end(instance);
            Ok(())
        });
        if let Err(fault) = ended {
            let (bundle, fault) = (self.places.bundle(), fault.describe(&self.places));
            report!(ERROR, bundle = bundle, "an instance could not be ended: {fault}");
        }
    }
}

impl<P: LowLevel> LowLevelPlugin<P> {
    /// Makes a plugin for version `major` of a contract, with its default instance.
    pub(crate) fn new(
        code: P,
        contract_id: GuestContractId,
        major: u32,
        context: Arc<HostContext>,
        places: &Arc<Places>,
    ) -> Result<Self, Fault> {
        let code = Arc::new(code);
        let default = LowLevelInstance::create(&code, places)?;
        Ok(Self { instances: SlotMap::new(), default, contract_id, major, context, code })
    }

    /// Makes the table of this plugin. The plugin must not move or be dropped while the table is used.
    pub(crate) fn interface(self: &Arc<Self>) -> GuestContractInterface {
        let loader_data = VmLoaderData { data: Arc::as_ptr(self).cast_mut().cast::<c_void>() };
        GuestContractInterface {
            contract_id: self.contract_id,
            contract_version: Version::new(self.major, 0, 0),
            dispatch_type: DispatchType::VirtualMachine,
            create_instance: create_instance::<P>,
            destroy_instance: destroy_instance::<P>,
            dispatch: DispatchMechanisms { vm: VmDispatch { call: call::<P>, loader_data } },
        }
    }

    /// Returns the plugin behind loader data.
    ///
    /// # Safety
    ///
    /// `loader_data` must come from [`interface`](Self::interface), and its plugin must not have been dropped.
    unsafe fn of<'a>(loader_data: VmLoaderData) -> &'a Self {
        // SAFETY: the caller promises that `interface` put the address of a `Self` there, which is not dropped.
        unsafe { &*loader_data.data.cast::<Self>() }
    }

    fn make(&self) -> Result<GuestContractInstance, String> {
        let places = &self.default.places;
        let target = LowLevelInstance::create(&self.code, places).map_err(|fault| fault.describe(places))?;
        Ok(GuestContractInstance { data: self.instances.insert(Arc::new(target)), contract_id: self.contract_id })
    }

    /// Carries out a call.
    fn call(&self, instance: *mut c_void, function: u32, frame: CallFrame) -> Result<(), (AbiErrorCode, String)> {
        let number = function as usize;
        let count = self.code.functions();
        if number >= count {
            let text = format!("there is no function {function}: the plugin has {count}, numbered from 0");
            return Err((AbiErrorCode::FunctionNotAvailable, text));
        }
        let own;
        let target = if instance.is_null() {
            &self.default
        } else {
            own = self.instances.get(instance).ok_or_else(|| {
                let text = format!("the plugin has no instance {:#x}: it has been destroyed", instance.addr());
                (AbiErrorCode::StaleHandle, text)
            })?;
            &*own
        };
        guarded(|| self.code.call(target.instance(), number, frame.args, frame.out, frame.arena)).map_err(|fault| {
            let code = match fault.code() {
                AbiErrorCode::Exception => AbiErrorCode::Generic,
                code => code,
            };
            (code, fault.text(&self.default.places))
        })
    }
}

impl<P: LowLevel> EnginePlugin for LowLevelPlugin<P> {
    fn create(&self) -> Result<GuestContractInstance, String> {
        self.make()
    }

    fn keeps_state(&self) -> bool {
        false
    }

    fn waits_for(&self, _: usize) -> bool {
        false
    }

    unsafe fn save(&self, _: GuestContractInstance) -> Result<Vec<u8>, String> {
        Err("a low-level plugin keeps no state".to_owned())
    }

    fn restore(&self, _: &[u8], _: Version) -> Result<GuestContractInstance, String> {
        self.make()
    }
}

// Loader-data invariant: `LowLevelPlugin::interface` put the plugin's address into the loader data that the functions
// below get, and the runtime keeps the plugin as long as the interface.

unsafe extern "C" fn create_instance<P: LowLevel>(
    loader_data: VmLoaderData,
    _: *const HostApi,
    _: *const (),
    out_instance: *mut GuestContractInstance,
) {
    if out_instance.is_null() {
        return;
    }
    // SAFETY: the loader-data invariant.
    let plugin = unsafe { LowLevelPlugin::<P>::of(loader_data) };
    let instance = plugin.make().unwrap_or_else(|reason| {
        // The signature has no `out_err`.
        if let Some(runtime) = plugin.context.runtime() {
            runtime.record_error(reason);
            runtime.release_on_reclaimer();
        }
        GuestContractInstance::null()
    });
    // SAFETY: `out_instance` is not null, and writable by the protocol.
    unsafe { out_instance.write(instance) };
}

unsafe extern "C" fn destroy_instance<P: LowLevel>(
    loader_data: VmLoaderData,
    _: *const HostApi,
    instance: GuestContractInstance,
) {
    // SAFETY: the loader-data invariant.
    let plugin = unsafe { LowLevelPlugin::<P>::of(loader_data) };
    drop(plugin.instances.remove(instance.data));
}

unsafe extern "C" fn call<P: LowLevel>(
    loader_data: VmLoaderData,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: the loader-data invariant.
    let plugin = unsafe { LowLevelPlugin::<P>::of(loader_data) };
    let frame = CallFrame { args, out, arena, out_err };
    if let Err((code, text)) = plugin.call(instance.data, fn_id, frame) {
        // SAFETY: the caller follows the protocol of `VmCall`: `out_err` is writable or null, `arena` valid or null.
        unsafe { frame.fail(code as u32, &text) };
    }
}
