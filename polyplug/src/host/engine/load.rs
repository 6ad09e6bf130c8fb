//! The start of a bundle, from its code to registered plugins.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use polyplug_abi::{GuestContractId, GuestContractInterface, PluginFlags, Version};

use super::engine::Engine;
use super::fault::Fault;
use super::guest::{EngineEnd, Guest};
use super::known_contract::KnownContract;
use super::low_level::{LowLevel, LowLevelPlugin};
use super::plugin::{VmPlugin, guarded};
use super::schemas::Named;
use super::vm::Vm;
use super::vm_pool::VmPool;
use super::vm_set::{FirstVm, SingleVm, VmSet};
use crate::Runtime;
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::workers::Workers;
use crate::host::error::loader::LoaderError;
use crate::host::plugin::plugin::{EnginePlugin, Plugin};
use crate::host::plugin::schema::PluginSchema;
use crate::host::plugin_proxy::depth::reserve_stack;
use crate::host::runtime::staging::Staging;
use crate::host::version::module::{Module, Remains};
use crate::schema::Schema;
use crate::sync::Condvar;

/// A plugin, as a bundle's code declares it.
#[derive(Debug, Clone, Default)]
pub struct PluginDecl {
    /// The contract that the plugin implements, as its author wrote it: `"name@major"` or `"name@major.minor"`.
    pub contract: String,
    /// The plugin's own name. A plugin without one has the name of its contract.
    pub name: Option<String>,
    /// The names of the plugin's methods, in any order. The contract may have fewer.
    pub methods: Vec<String>,
    /// The names of methods that the plugin has, and that cannot be called from outside: they are not public. An error of a
    /// missing method names them.
    pub hidden_methods: Vec<String>,
    /// True if one instance serves all callers.
    pub is_singleton: bool,
    /// True if the plugin keeps nothing from one call to the next. One object in each VM serves all callers, and a call
    /// may run in any VM of a pool.
    pub is_stateless: bool,
    /// True if the state of instances can be saved and restored.
    pub keeps_state: bool,
    /// The file and line of the declaration, for errors.
    pub place: Option<String>,
}

impl PluginDecl {
    /// Returns whether `other` declares the same plugin. The order of the methods does not count.
    fn is_same(&self, other: &Self) -> bool {
        let Self { contract, name, methods, is_singleton, is_stateless, keeps_state, hidden_methods: _, place: _ } =
            other;
        let sorted = |methods: &[String]| methods.iter().cloned().collect::<BTreeSet<_>>();
        (&self.contract, &self.name, sorted(&self.methods)) == (contract, name, sorted(methods))
            && (self.is_singleton, self.is_stateless, self.keeps_state) == (*is_singleton, *is_stateless, *keeps_state)
    }
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
/// `start` is called once for each VM that the manifest asks for with [`workers`](ManifestData::workers), each time
/// with a [`Guest`] of its own, and is to do the same each time: the VMs share nothing. The VMs are a pool for the
/// plugins that are declared [stateless](PluginDecl::is_stateless). The other plugins run in the first VM. An engine
/// that is not [`EXCLUSIVE`](Engine::EXCLUSIVE) has one VM.
///
/// # Errors
///
/// The code fails, a plugin's contract is not known, a plugin lacks a method, or the declarations contradict each other
/// or the manifest.
pub fn load<E: Engine>(
    manifest: &ManifestData,
    runtime: &Runtime,
    start: impl Fn(&Arc<Guest>) -> Result<(E, Vec<PluginDecl>), StartError<E>>,
) -> Result<(), LoaderError> {
    reserve_stack(E::STACK);
    let starting = Starting::new(manifest, runtime)?;
    let count = if E::EXCLUSIVE { manifest.workers.count() } else { 1 };
    let signal = (count > 1).then(Arc::default);
    let (first, declared) = starting.start_vm(&starting.guest, signal.as_ref(), start(&starting.guest))?;
    starting.check_workers(&declared)?;
    let mut vms = vec![first];
    for number in 2..=count {
        let of_worker = |error| match error {
            LoaderError::InitFailed { bundle, code, error } => {
                LoaderError::InitFailed { bundle, code, error: format!("worker {number} of {count}: {error}") }
            }
            other => other,
        };
        let guest = starting.another_guest();
        let (vm, again) = starting.start_vm(&guest, signal.as_ref(), start(&guest)).map_err(of_worker)?;
        starting.check_declared_again(&declared, &again).map_err(of_worker)?;
        vms.push(vm);
    }
    starting.register_all(vms, &declared)
}

/// Starts a bundle like [`load`], for languages whose code may also be plugins that work on canonical memory
/// themselves. The contracts of such plugins need not be known here. The default instance of such a plugin is made at
/// once. The bundle has one VM.
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
    match started.map_err(|error| starting.not_started(&starting.guest, error))? {
        LoadedCode::Engine(engine, declared) => {
            let vm = starting.vm_of(&starting.guest, engine, None);
            starting.register_all(vec![vm], &declared)
        }
        LoadedCode::LowLevel(plugins) => starting.register_low_level(plugins),
    }
}

/// A bundle that is being started.
struct Starting<'a> {
    manifest: &'a ManifestData,
    staging: Staging,
    unload_limit: Duration,
    /// The bundle, as its first engine sees it.
    guest: Arc<Guest>,
}

impl<'a> Starting<'a> {
    fn new(manifest: &'a ManifestData, runtime: &Runtime) -> Result<Self, LoaderError> {
        let staging = runtime.staging(manifest.id)?;
        let unload_limit = runtime.parts().unload_limit;
        let guest = Self::guest(manifest, &staging, unload_limit);
        Ok(Self { manifest, staging, unload_limit, guest })
    }

    /// Makes the guest of another engine.
    fn another_guest(&self) -> Arc<Guest> {
        Self::guest(self.manifest, &self.staging, self.unload_limit)
    }

    fn guest(manifest: &ManifestData, staging: &Staging, unload_limit: Duration) -> Arc<Guest> {
        let guest = Guest::new(manifest, staging, unload_limit);
        staging.keep_module(EngineEnd(Arc::clone(&guest)));
        guest
    }

    fn failed(&self, error: impl Display) -> LoaderError {
        LoaderError::init_failed(&self.manifest.name, error.to_string())
    }

    /// Returns the error of a bundle whose code failed, with the code that its start-up reported. Keeps the engine until
    /// its functions for the unload have run.
    fn not_started<E: Engine>(&self, guest: &Guest, error: StartError<E>) -> LoaderError {
        if let Some(engine) = error.engine {
            self.vm_of(guest, engine, None);
        }
        let (bundle, text) = (self.manifest.name.clone(), guest.describe(&error.fault));
        LoaderError::InitFailed { bundle, code: error.fault.reported_code(), error: text }
    }

    /// Returns the error of one plugin, with the place of its declaration.
    fn failed_at(&self, declared: &PluginDecl, error: impl Display) -> LoaderError {
        match &declared.place {
            Some(place) => self.failed(format_args!("{}: {error}", self.guest.places.place(place))),
            None => self.failed(error),
        }
    }

    /// Makes the VM of an engine that was started. VMs of a pool share the signal `freed`.
    fn start_vm<E: Engine>(
        &self,
        guest: &Guest,
        freed: Option<&Arc<Condvar>>,
        started: Result<(E, Vec<PluginDecl>), StartError<E>>,
    ) -> Result<(Arc<Vm<E>>, Vec<PluginDecl>), LoaderError> {
        let (engine, declared) = started.map_err(|error| self.not_started(guest, error))?;
        Ok((self.vm_of(guest, engine, freed), declared))
    }

    /// Makes the VM of an engine, and keeps the VM, in which the functions for the unload run.
    fn vm_of<E: Engine>(&self, guest: &Guest, engine: E, freed: Option<&Arc<Condvar>>) -> Arc<Vm<E>> {
        let vm = Arc::new(match freed {
            Some(freed) => Vm::pooled(engine, &guest.places, freed),
            None => Vm::new(engine, &guest.places),
        });
        let any: Arc<dyn Any + Send + Sync> = Arc::clone(&vm) as _;
        let _ = guest.vm.set(Arc::downgrade(&any));
        // Before anything else can fail, as the functions for the unload run in the VM.
        self.staging.keep_module(Running(Arc::clone(&vm)));
        vm
    }

    /// Checks that a plugin can use the workers that the manifest asks for.
    fn check_workers(&self, declared: &[PluginDecl]) -> Result<(), LoaderError> {
        let workers = self.manifest.workers;
        if workers == Workers::default() || declared.iter().any(|declared| declared.is_stateless) {
            return Ok(());
        }
        Err(self.failed(format_args!(
            "the manifest has `workers = {workers}`, and no plugin is declared stateless, so that none could use a second \
             one: declare those that keep nothing from one call to the next with the option `stateless`, or remove \
             `workers`"
        )))
    }

    /// Checks that the code has declared the same plugins in another VM as in the first one.
    fn check_declared_again(&self, declared: &[PluginDecl], again: &[PluginDecl]) -> Result<(), LoaderError> {
        let differs = declared.iter().zip(again).find(|(declared, again)| !declared.is_same(again));
        let reason = match differs {
            Some((declared, _)) => format!("plugin `{}` is declared differently", declared.contract),
            None if declared.len() == again.len() => return Ok(()),
            None => format!("{} plugins are declared, and not {}", again.len(), declared.len()),
        };
        Err(self.failed(format_args!(
            "{reason} than in the first worker: the code has to declare the same each time that it is started"
        )))
    }

    /// Registers the plugins that the engines run: one engine, or those of a pool.
    fn register_all<E: Engine>(self, vms: Vec<Arc<Vm<E>>>, declared: &[PluginDecl]) -> Result<(), LoaderError> {
        let pool = VmPool::new(vms);
        let register = |(number, declared): (usize, &PluginDecl)| match pool.vms() {
            [only] => self.register_one(SingleVm(Arc::clone(only)), slice::from_ref(only), number, declared),
            all if declared.is_stateless => self.register_one(pool.clone(), all, number, declared),
            [first, ..] => self.register_one(FirstVm(Arc::clone(first)), slice::from_ref(first), number, declared),
            [] => Ok(()),
        };
        // All plugins are looked at, so that an author reads of all that are wrong at once.
        let mut errors: Vec<_> = declared.iter().enumerate().map(register).filter_map(Result::err).collect();
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            count => {
                let texts: String = errors.into_iter().map(|error| format!("\n- {}", text_of(error))).collect();
                Err(self.failed(format_args!("{count} plugins are wrong:{texts}")))
            }
        }
    }

    /// Registers a plugin that runs in `vms`, which are `set`.
    fn register_one<E: Engine, V: VmSet<E>>(
        &self,
        set: V,
        vms: &[Arc<Vm<E>>],
        number: usize,
        declared: &PluginDecl,
    ) -> Result<(), LoaderError> {
        let described = implemented::<E>(declared, &self.guest).map_err(|error| self.failed_at(declared, error))?;
        let contract = KnownContract::new(described.shared());
        let keeps_state =
            keeps_state::<E>(declared, &contract.schema).map_err(|error| self.failed_at(declared, error))?;
        for vm in vms {
            let prepared = guarded(|| vm.enter()?.prepare(number, &contract));
            prepared.map_err(|fault| self.failed_at(declared, self.guest.describe(&fault)))?;
        }
        let name = contract.schema.name.clone();
        let plugin = VmPlugin::new(set, number, contract, keeps_state);
        self.staging.keep(Arc::clone(&plugin));
        let mut flags = PluginFlags::default();
        if declared.is_singleton {
            flags = flags.union(PluginFlags::SINGLETON);
        }
        if declared.is_stateless {
            flags = flags.union(PluginFlags::STATELESS);
        }
        let interface = plugin.interface();
        self.register(declared, name, interface, flags, plugin, Some(described))
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
            maps: Vec::new(),
        };
        self.staging.register(Ok(plugin)).map_err(|error| self.failed_at(declared, error))
    }
}

/// Returns the text of an error without the name of the bundle.
fn text_of(error: LoaderError) -> String {
    match error {
        LoaderError::InitFailed { error, .. } => error,
        other => other.to_string(),
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

/// Returns whether the state of a plugin's instances is kept over a reload, and checks that the declaration does not
/// contradict itself.
fn keeps_state<E: Engine>(declared: &PluginDecl, schema: &Schema) -> Result<bool, String> {
    if !declared.is_stateless {
        return Ok(declared.keeps_state);
    }
    if declared.is_singleton {
        return Err(
            "the plugin is declared both stateless and a singleton: a singleton is one object, and a stateless \
                    plugin has one in each worker, so remove one of the two options"
                .to_owned(),
        );
    }
    // A contract may have methods of these names.
    let is_contracts = |name: &str| schema.methods.iter().any(|method| E::method_name(&method.name) == name);
    if declared.keeps_state && !["save", "restore"].into_iter().all(is_contracts) {
        return Err("the plugin is declared stateless and has `save` and `restore`, which carry state over a reload: \
                    remove the two methods or the option `stateless`"
            .to_owned());
    }
    Ok(false)
}

/// Finds the contract that a plugin implements, and checks that the plugin has all of its methods. A plugin that names no
/// minor version and lacks only methods that are newer than the schema which its bundle ships was written for the version of
/// that schema.
fn implemented<E: Engine>(declared: &PluginDecl, guest: &Guest) -> Result<PluginSchema, String> {
    let mut named = Named::read(&declared.contract)?;
    let described = guest.find_schema(&named)?;
    let schema = described.schema();
    let wanted: Vec<_> = schema.methods.iter().map(|method| (E::method_name(&method.name), method.since)).collect();
    let missing: Vec<_> = wanted.iter().filter(|(name, _)| !declared.methods.contains(name)).collect();
    let Some(oldest) = missing.iter().map(|(_, since)| *since).min() else { return Ok(described) };
    let is_wanted = |name: &&String| wanted.iter().any(|(wanted, _)| wanted == *name);
    let spare: Vec<_> = declared.methods.iter().filter(|name| !is_wanted(name)).map(String::as_str).collect();
    // What the plugin has in place of each.
    let mistaken = |(name, _): &&(String, u32)| {
        if declared.hidden_methods.contains(name) {
            return Some(format!(" (it has `{name}`, which is not public: make it public)"));
        }
        let near = crate::host::error::suggest::nearest(name, &spare)?;
        Some(format!(" (it has `{near}`: is that a misspelling?)"))
    };
    let mistakes: Vec<_> = missing.iter().map(mistaken).collect();
    let may_be_older = named.minor.is_none() && mistakes.iter().all(Option::is_none);
    if may_be_older
        && let Some(shipped) = guest.shipped_minor(&named)?
        && shipped < oldest
    {
        named.minor = Some(shipped);
        return guest.find_schema(&named);
    }
    let texts: Vec<_> = missing
        .iter()
        .zip(mistakes)
        .map(|((name, _), mistake)| format!("`{name}`{}", mistake.unwrap_or_default()))
        .collect();
    let methods = if missing.len() == 1 { "method" } else { "methods" };
    let mut text = format!("the plugin for {schema} lacks the {methods} {}", texts.join(", "));
    if may_be_older && oldest > 0 {
        let before = oldest - 1;
        text += &format!(": write what is new, or declare the plugin as `{}@{}.{before}`", schema.name, schema.major);
    }
    Err(text)
}
