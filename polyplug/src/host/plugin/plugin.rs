//! A plugin, and the functions that its code offers.

use std::sync::Arc;

use polyplug_abi::plugin::{CheckHealth, CreateWithError, RestoreInstance, SaveInstance};
use polyplug_abi::{
    AbiError, BundleId, DispatchType, GuestContractId, GuestContractInstance, GuestContractInterface, HostApi,
    PluginFlags, StringView, Version,
};

use super::instance::loader_data;
use super::schema::PluginSchema;
use crate::call_error::message_text;
use crate::contract_info::ContractInfo;
use crate::host::abi::arena::CallArenaGuard;
use crate::host::abi::interface::native_functions;
use crate::host::adapter::method_map::MethodMap;

/// A plugin as it was registered.
#[derive(Clone)]
pub(crate) struct Plugin {
    pub(crate) name: String,
    pub(crate) contract: String,
    /// The contract that the plugin was registered for. A table that is swapped in later may name another contract.
    pub(crate) contract_id: GuestContractId,
    pub(crate) bundle: BundleId,
    pub(crate) interface: Arc<GuestContractInterface>,
    pub(crate) flags: PluginFlags,
    pub(crate) create: Option<CreateWithError>,
    pub(crate) save: Option<SaveInstance>,
    pub(crate) restore: Option<RestoreInstance>,
    pub(crate) health: Option<CheckHealth>,
    /// The implementation of the functions above, if an engine runs the plugin.
    pub(crate) engine: Option<Arc<dyn EnginePlugin>>,
    /// The plugin's own version.
    pub(crate) version: Version,
    /// The schema of the contract that the plugin implements, if known.
    pub(crate) schema: Option<PluginSchema>,
    /// The plugin's methods in the order of each contract that is linked into this program, `None` where both have the
    /// same. Found by the check of the schema; not there for a contract that the plugin cannot be called by.
    pub(crate) maps: Vec<(&'static ContractInfo, Option<Arc<MethodMap>>)>,
}

/// A plugin that an engine runs.
pub(crate) trait EnginePlugin: Send + Sync {
    /// Makes an instance.
    fn create(&self) -> Result<GuestContractInstance, String>;

    /// Returns whether the state of the plugin's instances can be saved and restored.
    fn keeps_state(&self) -> bool;

    /// Returns whether a thread that takes a snapshot has to wait for the thread with the mark `thread`: see
    /// [`mark`](crate::host::waits::mark).
    fn waits_for(&self, thread: usize) -> bool;

    /// Returns the number of VMs that carry out the plugin's calls side by side.
    fn workers(&self) -> usize {
        1
    }

    /// Takes a snapshot of an instance.
    ///
    /// # Safety
    ///
    /// This plugin must have made the instance, which must not be destroyed.
    unsafe fn save(&self, instance: GuestContractInstance) -> Result<Vec<u8>, String>;

    /// Makes an instance from a snapshot that version `from` of the plugin took.
    fn restore(&self, state: &[u8], from: Version) -> Result<GuestContractInstance, String>;
}

impl Plugin {
    /// Makes an instance.
    pub(crate) fn create(&self, host: *const HostApi) -> Result<GuestContractInstance, String> {
        if let Some(engine) = &self.engine {
            return engine.create();
        }
        let mut instance = GuestContractInstance::null();
        let mut error = AbiError::ok();
        match self.create {
            // SAFETY: the factory is called as the ABI declares it, with the host's table for the plugin's version.
            Some(create) => unsafe { create(host, &raw mut instance, &raw mut error) },
            // SAFETY: the factory is called as the ABI declares it; no function of a registered interface is null.
            None => unsafe {
                (self.interface.create_instance)(
                    loader_data(&self.interface),
                    host,
                    std::ptr::null(),
                    &raw mut instance,
                );
            },
        }
        if !error.is_ok() {
            // SAFETY: the plugin wrote the error, whose text the host keeps for this thread until its next call.
            return Err(unsafe { message_text(&error) });
        }
        if self.create.is_some() && instance.is_null() {
            return Err("the factory reported success without an instance".to_owned());
        }
        Ok(instance)
    }

    /// Returns the names of the plugin's methods, in the order of its table. Without a schema each is its number after `#`.
    pub(crate) fn method_names(&self) -> Vec<String> {
        match (&self.schema, self.interface.dispatch_type) {
            (Some(described), _) => described.schema().methods.iter().map(|method| method.name.clone()).collect(),
            (None, DispatchType::Native) => {
                // SAFETY: the dispatch is native, and registration checked the interface's table.
                let functions = unsafe { native_functions(&self.interface) };
                (0..functions.len()).map(|number| format!("#{number}")).collect()
            }
            // The functions of a VM are not known, and not counted.
            _ => Vec::new(),
        }
    }

    /// Makes a plugin without a schema and without optional functions.
    pub(crate) fn plain(
        descriptor: &polyplug_abi::PluginDescriptor,
        name: String,
        contract: String,
        bundle: BundleId,
        interface: GuestContractInterface,
    ) -> Self {
        Self {
            name,
            contract,
            contract_id: interface.contract_id,
            bundle,
            interface: Arc::new(interface),
            flags: PluginFlags::default(),
            create: None,
            save: None,
            restore: None,
            health: None,
            engine: None,
            version: descriptor.version,
            schema: None,
            maps: Vec::new(),
        }
    }

    /// Returns whether the plugin can take snapshots of its instances.
    pub(crate) fn can_save(&self) -> bool {
        self.engine.as_ref().map_or(self.save.is_some(), |engine| engine.keeps_state())
    }

    /// Returns whether the plugin can make instances from snapshots.
    pub(crate) fn can_restore(&self) -> bool {
        self.engine.as_ref().map_or(self.restore.is_some(), |engine| engine.keeps_state())
    }

    /// Returns whether a thread that takes a snapshot of an instance has to wait for the thread with the mark `thread`.
    pub(crate) fn saving_waits_for(&self, thread: usize) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine.keeps_state() && engine.waits_for(thread))
    }

    /// Takes a snapshot of an instance, or returns `None` if the plugin does not take snapshots.
    pub(crate) fn save(&self, instance: GuestContractInstance) -> Option<Result<Vec<u8>, String>> {
        if let Some(engine) = &self.engine {
            // SAFETY: the runtime passes an instance that this plugin made and that is not destroyed.
            return engine.keeps_state().then(|| unsafe { engine.save(instance) });
        }
        let save = self.save?;
        let arena = CallArenaGuard::enter();
        let mut state = StringView::null();
        let mut error = AbiError::ok();
        // SAFETY: the function is called as the ABI declares it, with an instance that this plugin made.
        unsafe { save(instance, &raw mut state, arena.get(), &raw mut error) };
        if !error.is_ok() {
            // SAFETY: the plugin wrote the error, whose text lies in the arena or in the buffer that the host keeps for
            // this thread until its next call.
            return Some(Err(unsafe { message_text(&error) }));
        }
        // SAFETY: the plugin put the bytes into the arena (ABI contract), which is not left before `arena` is dropped.
        let bytes = unsafe { state.bytes() };
        Some(bytes.map(<[u8]>::to_vec).ok_or_else(|| "the snapshot is null".to_owned()))
    }

    /// Makes an instance from a snapshot that version `from` of the plugin took.
    pub(crate) fn restore(
        &self,
        host: *const HostApi,
        state: &[u8],
        from: Version,
    ) -> Result<GuestContractInstance, String> {
        if let Some(engine) = &self.engine {
            return engine.restore(state, from);
        }
        let Some(restore) = self.restore else { return self.create(host) };
        let mut instance = GuestContractInstance::null();
        let mut error = AbiError::ok();
        // SAFETY: the function is called as the ABI declares it, with the host's table for the plugin's version.
        unsafe { restore(host, StringView::lend(state), from, &raw mut instance, &raw mut error) };
        if !error.is_ok() {
            // SAFETY: the plugin wrote the error, whose text the host keeps for this thread until its next call.
            return Err(unsafe { message_text(&error) });
        }
        if instance.is_null() { Err("success was reported without an instance".to_owned()) } else { Ok(instance) }
    }

    /// Asks the plugin whether it can serve. Fails with the plugin's reason if it cannot.
    pub(crate) fn check_health(&self, host: *const HostApi) -> Result<(), String> {
        let Some(health) = self.health else { return Ok(()) };
        let arena = CallArenaGuard::enter();
        let mut error = AbiError::ok();
        // SAFETY: the function is called as the ABI declares it, with the host's table for the plugin's version.
        unsafe { health(host, arena.get(), &raw mut error) };
        // SAFETY: the plugin wrote the error, whose text lies in the arena or in the buffer that the host keeps for
        // this thread until its next call.
        if error.is_ok() { Ok(()) } else { Err(unsafe { message_text(&error) }) }
    }
}
