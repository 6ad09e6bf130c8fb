//! The engine of a bundle as the runtime uses it: makes instances, calls methods, and carries state over a reload.

use std::sync::{Arc, OnceLock};

use polyplug::Version;
use polyplug::engine::{CallMemory, Engine, Fault, Guest, IncomingCall, KnownContract};

use crate::bridge::{Bridge, DotnetObject, Methods, Sink};
use crate::bundle::Bundle;
use crate::clr::prepare_thread;
use crate::names::pascal_case;
use crate::{fault, unload};

/// An instance of a plugin or an object that was handed over.
#[derive(Debug)]
pub(crate) struct Instance {
    object: DotnetObject,
    /// The number of the plugin whose instance this is.
    plugin: Option<usize>,
}

/// The code of a plugin.
struct PluginCode {
    code: DotnetObject,
    /// The methods, by the numbers of the contract.
    methods: Methods,
}

/// The engine of a version of a bundle: its code in the CLR.
pub(crate) struct DotnetEngine {
    /// The code of each plugin, in the order of the declarations. Set when the runtime prepares the plugin.
    plugins: Vec<OnceLock<PluginCode>>,
    bridge: &'static Bridge,
    bundle: Arc<Bundle>,
    /// The bundle in the CLR, which is taken when the engine is dropped.
    loaded: Option<DotnetObject>,
}

impl DotnetEngine {
    pub(crate) fn new(bridge: &'static Bridge, bundle: Arc<Bundle>, loaded: DotnetObject, plugins: usize) -> Self {
        let plugins = (0..plugins).map(|_| OnceLock::new()).collect();
        Self { plugins, bridge, bundle, loaded: Some(loaded) }
    }

    /// Returns the code of a plugin, which the runtime must have prepared.
    #[inline]
    fn code(&self, plugin: usize) -> &PluginCode {
        self.plugins[plugin].get().expect("a plugin is prepared before it is used")
    }

    pub(crate) fn guest(&self) -> &Arc<Guest> {
        &self.bundle.guest
    }
}

impl Engine for DotnetEngine {
    /// The CLR runs code on any number of threads.
    const EXCLUSIVE: bool = false;

    /// The compiler of the CLR runs on the stack of the first call of a method.
    const STACK: usize = 256 << 10;

    type Object = Instance;

    fn method_name(name: &str) -> String {
        pascal_case(name)
    }

    fn prepare(&self, plugin: usize, contract: &KnownContract) -> Result<(), Fault> {
        let loaded = self.loaded.as_ref().expect("the bundle is loaded until the engine is dropped");
        let known = self.bundle.contract(contract);
        let methods = contract.schema.methods.len();
        let (code, methods) = self.bridge.prepare(loaded, plugin, known, methods)?;
        let _ = self.plugins[plugin].set(PluginCode { code, methods });
        Ok(())
    }

    fn create(&self, plugin: usize) -> Result<Instance, Fault> {
        let object = self.bridge.create(&self.code(plugin).code)?;
        Ok(Instance { object, plugin: Some(plugin) })
    }

    fn end(&self, object: Instance) {
        if let Some(plugin) = object.plugin {
            self.bridge.end(&self.code(plugin).code, object.object);
        }
    }

    #[inline]
    fn call(&self, plugin: usize, instance: &Instance, call: &IncomingCall<'_>) -> Result<(), Fault> {
        let function = self.code(plugin).methods.get(call.number());
        let CallMemory { args, out, arena } = call.memory();
        let mut sink = Sink::new();
        prepare_thread();
        // SAFETY: the bridge keeps the function as long as the code; the handle keeps the instance. The memory is laid out
        // by the plan of the contract that the method was bound to.
        let status = unsafe { function(instance.object.handle(), args, out, arena, &raw mut sink) };
        if status == 0 { Ok(()) } else { Err(fault::read(&sink, Some(call))) }
    }

    fn call_object(&self, _: u32, object: &Instance, _: &KnownContract, call: &IncomingCall<'_>) -> Result<(), Fault> {
        let mut sink = Sink::new();
        // SAFETY: the memory is laid out by the plan of the contract that the object was handed over with.
        let is_done = unsafe { self.bridge.call_object(&object.object, call.number(), call.memory(), &mut sink) };
        if is_done { Ok(()) } else { Err(fault::read(&sink, Some(call))) }
    }

    fn place(&self, plugin: usize, _: &Instance, call: &IncomingCall<'_>) -> Option<String> {
        self.bridge.place(&self.code(plugin).code, call.number())
    }

    fn object_place(&self, object: &Instance, call: &IncomingCall<'_>) -> Option<String> {
        self.bridge.object_place(&object.object, call.number())
    }

    fn save(&self, plugin: usize, instance: &Instance) -> Result<Vec<u8>, Fault> {
        self.bridge.save(&self.code(plugin).code, &instance.object)
    }

    fn restore(&self, plugin: usize, state: &[u8], from: Version) -> Result<Instance, Fault> {
        let object = self.bridge.restore(&self.code(plugin).code, state, from)?;
        Ok(Instance { object, plugin: Some(plugin) })
    }
}

impl From<DotnetObject> for Instance {
    fn from(object: DotnetObject) -> Self {
        Self { object, plugin: None }
    }
}

impl Drop for DotnetEngine {
    fn drop(&mut self) {
        self.plugins.clear();
        if let Some(loaded) = self.loaded.take() {
            let ended = self.bridge.unload(loaded);
            self.guest().record_end(unload::measure(self.bridge, ended));
        }
    }
}
