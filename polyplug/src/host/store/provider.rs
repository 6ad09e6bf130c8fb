//! One plugin of a loaded bundle: its table, its factory, its instances.

use std::ptr::NonNull;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use polyplug_abi::plugin::{CheckHealth, CreateWithError, RestoreInstance, SaveInstance};
use polyplug_abi::{
    AbiError, BundleId, CallArena, DispatchType, Entry, GuestContractId, GuestContractInstance, GuestContractInterface,
    HostApi, PluginFlags, StringView, Version, VmCall, VmLoaderData,
};

use super::instances::Holders;
use crate::call_error::message_text;
use crate::contract::ContractInfo;
use crate::host::abi::arena::CallArenaGuard;
use crate::host::abi::interface::native_functions;
use crate::host::error::RuntimeError;
use crate::host::plugin::contract_check as described;
use crate::host::plugin::contract_check::Described;
use crate::host::runtime::runtime::Runtime;
use crate::host::version::version::BundleVersion;
use crate::proxy::{ProxyParts, Via};
use crate::schema::plan::Plan;

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
    pub(crate) schema: Option<Described>,
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

/// A plugin that serves.
pub(crate) struct Provider {
    pub(crate) plugin: Plugin,
    /// The lease on its code; absent in a store that is used by itself.
    pub(crate) version: Option<Arc<BundleVersion>>,
    /// The one instance of a stateless plugin or singleton. The version ends it.
    shared: Option<Callee>,
    tables: Tables,
    plan: OnceLock<Arc<Plan>>,
    holders: Holders,
}

impl Provider {
    /// A provider without a version, for a store that is used by itself.
    pub(crate) fn bare(plugin: Plugin) -> Self {
        Self {
            plugin,
            version: None,
            shared: None,
            tables: Tables::default(),
            plan: OnceLock::new(),
            holders: Holders::default(),
        }
    }

    /// A provider of `version`; makes the instance that everybody shares, if there is one, with `create`.
    pub(crate) fn start(
        plugin: Plugin,
        version: &Arc<BundleVersion>,
        create: impl FnOnce(&Plugin, *const HostApi) -> Result<GuestContractInstance, String>,
    ) -> Result<Self, String> {
        let mut shared = None;
        if plugin.flags.contains(PluginFlags::STATELESS) || plugin.flags.contains(PluginFlags::SINGLETON) {
            let host = version.context().host_api();
            let instance = create(&plugin, host)?;
            version.keep_instance(SharedInstance { interface: Arc::clone(&plugin.interface), host, instance });
            shared = Some(Callee::new(&plugin.interface, instance));
        }
        let version = Some(Arc::clone(version));
        Ok(Self {
            plugin,
            version,
            shared,
            tables: Tables::default(),
            plan: OnceLock::new(),
            holders: Holders::default(),
        })
    }

    pub(crate) fn holders(&self) -> &Holders {
        &self.holders
    }

    /// Whether its version serves.
    pub(crate) fn is_current(&self) -> bool {
        self.version.as_ref().is_some_and(|version| version.is_current())
    }

    pub(crate) fn runtime(&self) -> Option<Arc<Runtime>> {
        self.version.as_ref()?.context().runtime()
    }

    /// What a proxy for contract `info` and an instance of this provider is made of.
    #[inline]
    pub(crate) fn parts(&self, info: &'static ContractInfo, callee: &Callee) -> Result<ProxyParts, RuntimeError> {
        let functions = self.functions(info)?;
        let version = self.version.as_ref().expect("a runtime's providers have a version");
        let host = NonNull::new(version.context().host_api().cast_mut()).expect("a table has an address");
        Ok(ProxyParts { word: NonNull::from(version.word()), functions, instance: callee.instance(), host, info })
    }

    pub(crate) fn shared(&self) -> Option<&Callee> {
        self.shared.as_ref()
    }

    /// The entries of this provider in the order of `info`'s methods, one for each.
    ///
    /// # Errors
    ///
    /// The provider has no schema, or implements something else.
    #[inline]
    fn functions(&self, info: &'static ContractInfo) -> Result<NonNull<Entry>, RuntimeError> {
        match self.tables.first.get() {
            Some(first) if std::ptr::eq(first.info, info) => Ok(first.start),
            _ => self.tables.find_or_make(info, self),
        }
    }

    /// Where the values of dynamic calls lie, compiled from the schema on first use.
    pub(crate) fn plan(&self) -> Result<Arc<Plan>, RuntimeError> {
        if let Some(plan) = self.plan.get() {
            return Ok(Arc::clone(plan));
        }
        let Some(described) = &self.plugin.schema else {
            return Err(described::no_schema(&self.plugin, self.bundle_name()));
        };
        Ok(Arc::clone(self.plan.get_or_init(|| Arc::new(Plan::new(described.schema())))))
    }

    pub(crate) fn bundle_name(&self) -> &str {
        self.version.as_ref().map_or("", |version| version.name())
    }
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
}

impl Plugin {
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

fn loader_data(interface: &GuestContractInterface) -> VmLoaderData {
    match interface.dispatch_type {
        // SAFETY: the dispatch type was checked when the interface was registered.
        DispatchType::VirtualMachine => unsafe { interface.dispatch.vm.loader_data },
        _ => VmLoaderData::null(),
    }
}

/// An instance that all callers share. Ends it when dropped.
pub(crate) struct SharedInstance {
    interface: Arc<GuestContractInterface>,
    host: *const HostApi,
    instance: GuestContractInstance,
}

// SAFETY: instances accept calls from any thread, and the host's table is kept by the remains that hold this.
unsafe impl Send for SharedInstance {}
// SAFETY: as for `Send`.
unsafe impl Sync for SharedInstance {}

impl Drop for SharedInstance {
    fn drop(&mut self) {
        // SAFETY: made by this interface; its version's modules and table go after its instances.
        unsafe { destroy(&self.interface, self.host, self.instance) };
    }
}

/// Ends an instance.
///
/// # Safety
///
/// The instance must have been made by `interface` and not be used again; its code must be mapped.
pub(crate) unsafe fn destroy(
    interface: &GuestContractInterface,
    host: *const HostApi,
    instance: GuestContractInstance,
) {
    if !instance.is_null() {
        // SAFETY: the caller's promise; the function was found not null when the interface was checked.
        unsafe { (interface.destroy_instance)(loader_data(interface), host, instance) };
    }
}

/// An instance as entries take it: a native one as it is, one of a virtual machine behind a [`Via`].
pub(crate) struct Callee {
    instance: GuestContractInstance,
    vm: Option<Box<VmVia>>,
}

// SAFETY: instances and loader data accept calls from any thread.
unsafe impl Send for Callee {}
// SAFETY: as for `Send`.
unsafe impl Sync for Callee {}

#[repr(C)]
struct VmVia {
    via: Via,
    call: VmCall,
    loader_data: VmLoaderData,
    instance: GuestContractInstance,
}

impl Callee {
    pub(crate) fn new(interface: &GuestContractInterface, instance: GuestContractInstance) -> Self {
        let vm = (interface.dispatch_type == DispatchType::VirtualMachine).then(|| {
            // SAFETY: the dispatch type says which member holds.
            let vm = unsafe { interface.dispatch.vm };
            Box::new(VmVia { via: Via { call: call_vm }, call: vm.call, loader_data: vm.loader_data, instance })
        });
        Self { instance, vm }
    }

    /// What to hand to the entries of [`Provider::functions`].
    pub(crate) fn instance(&self) -> GuestContractInstance {
        match &self.vm {
            None => self.instance,
            Some(vm) => {
                let data = std::ptr::from_ref::<VmVia>(vm).cast_mut().cast();
                GuestContractInstance { data, contract_id: self.instance.contract_id }
            }
        }
    }

    /// The instance as the plugin made it.
    pub(crate) fn raw(&self) -> GuestContractInstance {
        self.instance
    }
}

unsafe fn call_vm(via: &Via, fn_id: u32, args: *const (), out: *mut (), arena: *mut CallArena, out_err: *mut AbiError) {
    // SAFETY: only `Callee::new` makes a `Via` with this function, as the first field of a `VmVia`.
    let vm = unsafe { &*std::ptr::from_ref(via).cast::<VmVia>() };
    // SAFETY: the caller follows the protocol of `Entry`, which `VmCall` extends.
    unsafe { (vm.call)(vm.loader_data, vm.instance, fn_id, args, out, arena, out_err) };
}

/// The tables of entries made for the contracts that a host calls the provider through. Usually one.
#[derive(Default)]
struct Tables {
    first: OnceLock<Table>,
    // A program may link two builds of a contract; boxed, for proxies keep pointers to the tables.
    #[allow(clippy::vec_box)]
    others: Mutex<Vec<Box<Table>>>,
}

struct Table {
    info: &'static ContractInfo,
    start: NonNull<Entry>,
    /// The table itself, where the provider's own does not serve.
    _own: Option<Box<[Entry]>>,
}

// SAFETY: a table never changes; its entries accept calls from any thread.
unsafe impl Send for Table {}
// SAFETY: as for `Send`.
unsafe impl Sync for Table {}

impl Tables {
    #[cold]
    fn find_or_make(&self, info: &'static ContractInfo, provider: &Provider) -> Result<NonNull<Entry>, RuntimeError> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.first.get().into_iter().chain(others.iter().map(|table| &**table));
        if let Some(table) = known.into_iter().find(|table| std::ptr::eq(table.info, info)) {
            return Ok(table.start);
        }
        let table = Table::new(info, provider)?;
        let start = table.start;
        if let Err(table) = self.first.set(table) {
            others.push(Box::new(table));
        }
        Ok(start)
    }
}

impl Table {
    fn new(info: &'static ContractInfo, provider: &Provider) -> Result<Self, RuntimeError> {
        let numbers = described::numbers(info, &provider.plugin, provider.bundle_name())?;
        let interface = &provider.plugin.interface;
        let provided: &[Entry] = match interface.dispatch_type {
            // SAFETY: checked when the interface was registered.
            DispatchType::Native => unsafe { native_functions(interface) },
            _ => info.via,
        };
        let same = numbers.iter().enumerate().all(|(i, number)| *number == Some(i)) && provided.len() >= numbers.len();
        if same {
            return Ok(Self { info, start: NonNull::from(provided).cast(), _own: None });
        }
        let entry = |number: &Option<usize>| number.and_then(|number| provided.get(number).copied()).unwrap_or(missing);
        let own: Box<[Entry]> = numbers.iter().map(entry).collect();
        Ok(Self { info, start: NonNull::from(&*own).cast(), _own: Some(own) })
    }
}

/// The entry of a method that the provider is too old to have.
unsafe extern "C" fn missing(
    _: GuestContractInstance,
    _: *const (),
    _: *mut (),
    _: *mut CallArena,
    out_err: *mut AbiError,
) {
    let error = AbiError::new(polyplug_abi::AbiErrorCode::FunctionNotAvailable, polyplug_abi::StringView::null());
    // SAFETY: proxies always pass room for an error.
    unsafe { out_err.write(error) };
}
