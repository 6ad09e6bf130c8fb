//! What is known of one plugin, and the functions that its code offers.

use std::sync::Arc;

use polyplug_abi::plugin::{CheckHealth, CreateWithError, RestoreInstance, SaveInstance};
use polyplug_abi::{
    AbiError, BundleId, GuestContractId, GuestContractInstance, GuestContractInterface, HostApi, PluginFlags,
    StringView, Version,
};

use super::instance::loader_data;
use super::schema::PluginSchema;
use crate::call_error::message_text;
use crate::host::abi::arena::CallArenaGuard;

/// What is known of a plugin.
#[derive(Clone)]
pub(crate) struct Plugin {
    pub(crate) name: String,
    pub(crate) contract: String,
    /// The contract it was registered for. A table that is swapped in may speak of another.
    pub(crate) contract_id: GuestContractId,
    pub(crate) bundle: BundleId,
    pub(crate) interface: Arc<GuestContractInterface>,
    pub(crate) flags: PluginFlags,
    pub(crate) create: Option<CreateWithError>,
    pub(crate) save: Option<SaveInstance>,
    pub(crate) restore: Option<RestoreInstance>,
    pub(crate) health: Option<CheckHealth>,
    /// Does the work of these functions, for plugins that an engine runs.
    pub(crate) engine: Option<Arc<dyn EnginePlugin>>,
    /// The plugin's own version.
    pub(crate) version: Version,
    /// What it implements; absent where nobody said.
    pub(crate) schema: Option<PluginSchema>,
}

/// A plugin that an engine runs.
pub(crate) trait EnginePlugin: Send + Sync {
    /// Makes an instance.
    fn create(&self) -> Result<GuestContractInstance, String>;

    /// Whether its instances' state can be saved and restored.
    fn keeps_state(&self) -> bool;

    /// A snapshot of an instance.
    ///
    /// # Safety
    ///
    /// The instance must be this plugin's, and alive.
    unsafe fn save(&self, instance: GuestContractInstance) -> Result<Vec<u8>, String>;

    /// An instance made from a snapshot that version `from` of the plugin took.
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
            // SAFETY: the plugin's factory, called as its type says, with the table of the plugin's own version.
            Some(create) => unsafe { create(host, &raw mut instance, &raw mut error) },
            // SAFETY: as above; the function was found not null when the interface was checked.
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
            // SAFETY: the text is in the buffer that this thread keeps until its next call.
            return Err(unsafe { message_text(&error) });
        }
        if self.create.is_some() && instance.is_null() {
            return Err("the factory reported success without an instance".to_owned());
        }
        Ok(instance)
    }

    /// What a plugin that nobody described further is.
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
        }
    }

    /// Whether it can take snapshots of its instances.
    pub(crate) fn can_save(&self) -> bool {
        self.engine.as_ref().map_or(self.save.is_some(), |engine| engine.keeps_state())
    }

    /// Whether it can make instances from snapshots.
    pub(crate) fn can_restore(&self) -> bool {
        self.engine.as_ref().map_or(self.restore.is_some(), |engine| engine.keeps_state())
    }

    /// A snapshot of an instance; `None` if the plugin does not take any.
    pub(crate) fn save(&self, instance: GuestContractInstance) -> Option<Result<Vec<u8>, String>> {
        if let Some(engine) = &self.engine {
            // SAFETY: the runtime saves instances of the plugin that it holds.
            return engine.keeps_state().then(|| unsafe { engine.save(instance) });
        }
        let save = self.save?;
        let arena = CallArenaGuard::enter();
        let mut state = StringView::null();
        let mut error = AbiError::ok();
        // SAFETY: the plugin's function, called as its type says, with an instance of the plugin's.
        unsafe { save(instance, &raw mut state, arena.get(), &raw mut error) };
        if !error.is_ok() {
            // SAFETY: the text is in the arena or in the buffer that this thread keeps until its next call.
            return Some(Err(unsafe { message_text(&error) }));
        }
        // SAFETY: the plugin put the bytes into the arena.
        let bytes = unsafe { state.bytes() };
        Some(bytes.map(<[u8]>::to_vec).ok_or_else(|| "the snapshot is null".to_owned()))
    }

    /// An instance made from a snapshot that version `from` of the plugin took.
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
        // SAFETY: the plugin's function, called as its type says, with the table of the plugin's own version.
        unsafe { restore(host, StringView::lend(state), from, &raw mut instance, &raw mut error) };
        if !error.is_ok() {
            // SAFETY: the text is in the buffer that this thread keeps until its next call.
            return Err(unsafe { message_text(&error) });
        }
        if instance.is_null() { Err("success was reported without an instance".to_owned()) } else { Ok(instance) }
    }

    /// Whether the plugin says that it can serve.
    pub(crate) fn check_health(&self, host: *const HostApi) -> Result<(), String> {
        let Some(health) = self.health else { return Ok(()) };
        let arena = CallArenaGuard::enter();
        let mut error = AbiError::ok();
        // SAFETY: the plugin's function, called as its type says, with the table of the plugin's own version.
        unsafe { health(host, arena.get(), &raw mut error) };
        // SAFETY: the text is in the arena or in the buffer that this thread keeps until its next call.
        if error.is_ok() { Ok(()) } else { Err(unsafe { message_text(&error) }) }
    }
}
