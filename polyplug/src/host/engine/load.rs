//! The start of a bundle, from its code to registered plugins.

use std::any::Any;
use std::fmt::Display;
use std::sync::Arc;

use polyplug_abi::{GuestContractId, GuestContractInterface, PluginFlags, Version};

use super::engine::Engine;
use super::fault::Fault;
use super::guest::{EngineEnd, Guest};
use super::known_contract::KnownContract;
use super::low_level::{LowLevel, LowLevelPlugin};
use super::plugin::{VmPlugin, guarded};
use super::schemas::Named;
use super::vm::Vm;
use crate::Runtime;
use crate::host::bundle::manifest::ManifestData;
use crate::host::error::loader::LoaderError;
use crate::host::plugin::plugin::{EnginePlugin, Plugin};
use crate::host::plugin::schema::PluginSchema;
use crate::host::plugin_proxy::depth::reserve_stack;
use crate::host::runtime::staging::Staging;
use crate::host::version::module::{Module, Remains};

/// A plugin, as a bundle's code declares it.
#[derive(Debug, Clone, Default)]
pub struct PluginDecl {
    /// The contract that the plugin implements, as its author wrote it: `"name@major"` or `"name@major.minor"`.
    pub contract: String,
    /// The plugin's own name. A plugin without one has the name of its contract.
    pub name: Option<String>,
    /// The names of the plugin's methods, in any order. The contract may have fewer.
    pub methods: Vec<String>,
    /// True if one instance serves all callers.
    pub is_singleton: bool,
    /// True if the state of instances can be saved and restored.
    pub keeps_state: bool,
    /// The file and line of the declaration, for errors.
    pub place: Option<String>,
}

/// The code of a bundle, after it was loaded.
#[derive(Debug)]
pub enum LoadedCode<E, P> {
    /// An engine, and the plugins that it runs.
    Engine(E, Vec<PluginDecl>),
    /// Plugins that work on canonical memory themselves. Only the contract, name and place of their declarations count.
    LowLevel(Vec<(PluginDecl, P)>),
}

/// The failure to start a bundle's code.
#[derive(Debug)]
pub struct StartError<E> {
    fault: Fault,
    engine: Option<E>,
}

impl<E> StartError<E> {
    /// Makes the error of a start that failed after the bundle's code may have registered functions for the unload. They
    /// run in the engine, which is then dropped.
    pub fn with_engine(fault: Fault, engine: E) -> Self {
        Self { fault, engine: Some(engine) }
    }
}

impl<E> From<Fault> for StartError<E> {
    fn from(fault: Fault) -> Self {
        Self { fault, engine: None }
    }
}

/// Starts a bundle. `start` makes the engine and runs the bundle's code, which declares plugins. The plugins are
/// compared with their contracts and registered. Loaders call this function in both
/// [`BundleLoader::load`](crate::loader::BundleLoader::load) and [`reload`](crate::loader::BundleLoader::reload).
///
/// # Errors
///
/// The code fails, a plugin's contract is not known, or a plugin lacks a method.
pub fn load<E: Engine>(
    manifest: &ManifestData,
    runtime: &Runtime,
    start: impl FnOnce(&Arc<Guest>) -> Result<(E, Vec<PluginDecl>), StartError<E>>,
) -> Result<(), LoaderError> {
    reserve_stack(E::STACK);
    let starting = Starting::new(manifest, runtime)?;
    let started = start(&starting.guest);
    let (engine, declared) = started.map_err(|error| starting.not_started(&starting.keep_failed(error)))?;
    starting.register_all(engine, &declared)
}

/// Starts a bundle like [`load`], for languages whose code may also be plugins that work on canonical memory
/// themselves. The contracts of such plugins need not be known here. The default instance of such a plugin is made at
/// once.
///
/// # Errors
///
/// The errors of [`load`], and the failure of such a plugin's factory.
pub fn load_either<E: Engine, P: LowLevel>(
    manifest: &ManifestData,
    runtime: &Runtime,
    start: impl FnOnce(&Arc<Guest>) -> Result<LoadedCode<E, P>, StartError<E>>,
) -> Result<(), LoaderError> {
    reserve_stack(E::STACK);
    let starting = Starting::new(manifest, runtime)?;
    let started = start(&starting.guest);
    match started.map_err(|error| starting.not_started(&starting.keep_failed(error)))? {
        LoadedCode::Engine(engine, declared) => starting.register_all(engine, &declared),
        LoadedCode::LowLevel(plugins) => starting.register_low_level(plugins),
    }
}

/// A bundle that is being started.
struct Starting<'a> {
    manifest: &'a ManifestData,
    staging: Staging,
    guest: Arc<Guest>,
}

impl<'a> Starting<'a> {
    fn new(manifest: &'a ManifestData, runtime: &Runtime) -> Result<Self, LoaderError> {
        let staging = runtime.staging(manifest.id)?;
        let guest = Guest::new(manifest, &staging, runtime.parts().unload_limit);
        staging.keep_module(EngineEnd(Arc::clone(&guest)));
        Ok(Self { manifest, staging, guest })
    }

    fn failed(&self, error: impl Display) -> LoaderError {
        LoaderError::init_failed(&self.manifest.name, error.to_string())
    }

    /// Returns the error of a bundle whose code failed, with the code that its start-up reported.
    fn not_started(&self, fault: &Fault) -> LoaderError {
        let (bundle, error) = (self.manifest.name.clone(), self.guest.describe(fault));
        LoaderError::InitFailed { bundle, code: fault.reported_code(), error }
    }

    /// Returns the error of one plugin, with the place of its declaration.
    fn failed_at(&self, declared: &PluginDecl, error: impl Display) -> LoaderError {
        match &declared.place {
            Some(place) => self.failed(format_args!("{}: {error}", self.guest.places.place(place))),
            None => self.failed(error),
        }
    }

    /// Registers the plugins that an engine runs.
    fn register_all<E: Engine>(self, engine: E, declared: &[PluginDecl]) -> Result<(), LoaderError> {
        let vm = self.vm_of(engine);
        // Before anything can fail: functions for the unload run in the VM.
        self.staging.keep_module(Running(Arc::clone(&vm)));
        for (number, declared) in declared.iter().enumerate() {
            self.register_one(&vm, number, declared)?;
        }
        Ok(())
    }

    /// Makes the VM of an engine, in which the functions for the unload run.
    fn vm_of<E: Engine>(&self, engine: E) -> Arc<Vm<E>> {
        let vm = Arc::new(Vm::new(engine, &self.guest.places));
        let any: Arc<dyn Any + Send + Sync> = Arc::clone(&vm) as _;
        let _ = self.guest.vm.set(Arc::downgrade(&any));
        vm
    }

    /// Keeps the engine of a bundle whose start failed, until its functions for the unload have run. Returns the fault.
    fn keep_failed<E: Engine>(&self, error: StartError<E>) -> Fault {
        if let Some(engine) = error.engine {
            self.staging.keep_module(Running(self.vm_of(engine)));
        }
        error.fault
    }

    fn register_one<E: Engine>(
        &self,
        vm: &Arc<Vm<E>>,
        number: usize,
        declared: &PluginDecl,
    ) -> Result<(), LoaderError> {
        let described = implemented::<E>(declared, &self.guest).map_err(|error| self.failed_at(declared, error))?;
        let contract = KnownContract::new(described.shared());
        let prepared = guarded(|| vm.enter()?.prepare(number, &contract));
        prepared.map_err(|fault| self.failed_at(declared, self.guest.describe(&fault)))?;
        let contract_id = GuestContractId::new(&contract.schema.name, contract.schema.major);
        let keeps_state = declared.keeps_state;
        let plugin = Arc::new(VmPlugin { vm: Arc::clone(vm), number, contract, contract_id, keeps_state });
        self.staging.keep(Arc::clone(&plugin));
        let flags = if declared.is_singleton { PluginFlags::SINGLETON } else { PluginFlags::default() };
        let contract = plugin.contract.schema.name.clone();
        let interface = plugin.interface();
        self.register(declared, contract, interface, flags, plugin, Some(described))
    }

    /// Registers plugins that work on canonical memory themselves.
    fn register_low_level<P: LowLevel>(&self, plugins: Vec<(PluginDecl, P)>) -> Result<(), LoaderError> {
        // All declarations are read before a plugin's code runs.
        let read = |(declared, code): (PluginDecl, P)| match Named::read(&declared.contract) {
            Ok(named) => Ok((declared, named, code)),
            Err(error) => Err(self.failed_at(&declared, error)),
        };
        let plugins = plugins.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        for (declared, named, code) in plugins {
            let contract_id = GuestContractId::new(&named.name, named.major);
            let plugin = LowLevelPlugin::new(
                code,
                contract_id,
                named.major,
                Arc::clone(self.staging.context()),
                &self.guest.places,
            );
            let plugin = Arc::new(plugin.map_err(|fault| self.failed_at(&declared, self.guest.describe(&fault)))?);
            self.staging.keep(Arc::clone(&plugin));
            let interface = plugin.interface();
            self.register(&declared, named.name, interface, PluginFlags::default(), plugin, None)?;
        }
        Ok(())
    }

    fn register(
        &self,
        declared: &PluginDecl,
        contract: String,
        interface: GuestContractInterface,
        flags: PluginFlags,
        engine: Arc<dyn EnginePlugin>,
        schema: Option<PluginSchema>,
    ) -> Result<(), LoaderError> {
        let plugin = Plugin {
            name: declared.name.clone().unwrap_or_else(|| contract.clone()),
            contract,
            contract_id: interface.contract_id,
            bundle: self.manifest.id,
            interface: Arc::new(interface),
            flags,
            create: None,
            save: None,
            restore: None,
            health: None,
            engine: Some(engine),
            version: version_of(self.manifest),
            schema,
        };
        self.staging.register(Ok(plugin)).map_err(|error| self.failed_at(declared, error))
    }
}

fn version_of(manifest: &ManifestData) -> Version {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let version = &manifest.version;
    Version::new(number(version.major), number(version.minor), number(version.patch))
}

/// A bundle's engine, as the runtime keeps it.
struct Running<E: Engine>(Arc<Vm<E>>);

impl<E: Engine> Module for Running<E> {
    fn close(self: Box<Self>) -> Option<Remains> {
        None // the engine ends with its last plugin, and `EngineEnd` reports the measurement
    }

    fn memory(&self) -> Option<u64> {
        self.0.memory()
    }
}

/// Finds the contract that a plugin implements, and checks that the plugin has all of its methods.
fn implemented<E: Engine>(declared: &PluginDecl, guest: &Guest) -> Result<PluginSchema, String> {
    let named = Named::read(&declared.contract)?;
    let described = guest.find_schema(&named)?;
    let schema = described.schema();
    let wanted: Vec<_> = schema.methods.iter().map(|method| E::method_name(&method.name)).collect();
    let missing: Vec<_> = wanted.iter().filter(|name| !declared.methods.contains(name)).collect();
    if missing.is_empty() {
        return Ok(described);
    }
    let spare: Vec<_> = declared.methods.iter().filter(|name| !wanted.contains(name)).map(String::as_str).collect();
    let missing: Vec<_> = missing
        .into_iter()
        .map(|name| match crate::host::error::suggest::nearest(name, &spare) {
            Some(near) => format!("`{name}` (it has `{near}`: is that a misspelling?)"),
            None => format!("`{name}`"),
        })
        .collect();
    let methods = if missing.len() == 1 { "method" } else { "methods" };
    Err(format!("the plugin for {schema} lacks the {methods} {}", missing.join(", ")))
}
