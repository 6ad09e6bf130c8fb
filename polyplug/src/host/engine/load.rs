//! From a bundle's code to registered plugins.

use std::any::Any;
use std::sync::Arc;

use polyplug_abi::{GuestContractId, PluginFlags, Version};

use super::guest::{Guest, KnownContract};
use super::plugin::PluginOf;
use super::schemas::{self, Named};
use super::vm::Vm;
use super::{Engine, Fault};
use crate::Runtime;
use crate::host::described::Described;
use crate::host::error::LoaderError;
use crate::host::loader::{ManifestData, Module};
use crate::host::provider::Plugin;

/// A plugin, as a bundle's code declares it.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// The contract it implements, as its author wrote it: `"name@major"` or `"name@major.minor"`.
    pub contract: String,
    /// What it calls itself; its contract's name where it does not.
    pub name: Option<String>,
    /// The names of its methods, in any order. There may be more than the contract has.
    pub methods: Vec<String>,
    /// Whether one instance serves everybody.
    pub is_singleton: bool,
    /// Whether its instances' state can be saved and restored.
    pub keeps_state: bool,
    /// Where it is declared: file and line, for errors.
    pub place: Option<String>,
}

/// Starts a bundle: `start` makes its engine and runs its code, which declares plugins. These are held against their
/// contracts and registered. For loaders, from [`BundleLoader::load`](crate::loader::BundleLoader::load) and
/// [`reload`](crate::loader::BundleLoader::reload) alike.
///
/// # Errors
///
/// The code fails, declares nothing, or something that is no plugin: a contract that nobody knows, a method that is
/// missing.
pub fn load<E: Engine>(
    manifest: &ManifestData,
    runtime: &Runtime,
    start: impl FnOnce(&Arc<Guest>) -> Result<(E, Vec<Declared>), Fault>,
) -> Result<(), LoaderError> {
    let staging = runtime.staging(manifest.id)?;
    let guest = Guest::new(manifest, &staging);
    let failed = |error: String| LoaderError::InitFailed { bundle: manifest.name.clone(), error };
    let (engine, declared) = start(&guest).map_err(|fault| failed(fault.to_string()))?;
    let vm = Arc::new(Vm::new(engine, &manifest.name));
    let any: Arc<dyn Any + Send + Sync> = Arc::clone(&vm) as _;
    let _ = guest.vm.set(Arc::downgrade(&any));
    drop(any);
    for (number, declared) in declared.iter().enumerate() {
        let place = declared.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let described = implemented::<E>(declared, &guest).map_err(|reason| failed(format!("{place}{reason}")))?;
        let contract = KnownContract::new(described.shared());
        let prepared = vm.enter().map_err(Fault::from).and_then(|engine| engine.prepare(number, &contract));
        prepared.map_err(|fault| failed(format!("{place}{fault}")))?;
        let schema = &contract.schema;
        let contract_id = GuestContractId::new(&schema.name, schema.major);
        let keeps_state = declared.keeps_state;
        let plugin = Arc::new(PluginOf { vm: Arc::clone(&vm), number, contract, contract_id, keeps_state });
        staging.keep(Arc::clone(&plugin));
        let flags = if declared.is_singleton { PluginFlags::SINGLETON } else { PluginFlags::default() };
        let name = declared.name.clone().unwrap_or_else(|| plugin.contract.schema.name.clone());
        let (major, minor, patch) = (manifest.version.major, manifest.version.minor, manifest.version.patch);
        let version = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        staging
            .register(Plugin {
                name,
                contract: plugin.contract.schema.name.clone(),
                contract_id,
                bundle: manifest.id,
                interface: Arc::new(plugin.interface()),
                flags,
                create: None,
                save: None,
                restore: None,
                health: None,
                engine: Some(plugin),
                version: Version::new(version(major), version(minor), version(patch)),
                schema: Some(described),
            })
            .map_err(|error| failed(format!("{place}{error}")))?;
    }
    staging.keep_module(Running(vm));
    Ok(())
}

/// A bundle's engine, as the runtime keeps it.
struct Running<E: Engine>(Arc<Vm<E>>);

impl<E: Engine> Module for Running<E> {
    fn close(self: Box<Self>) -> Option<String> {
        None
    }

    fn memory(&self) -> Option<u64> {
        self.0.memory()
    }
}

/// The contract that a plugin implements, all of whose methods it has.
fn implemented<E: Engine>(declared: &Declared, guest: &Guest) -> Result<Described, String> {
    let named = Named::read(&declared.contract)?;
    let described = schemas::find(&named, guest.directory())?;
    let schema = described.schema();
    let wanted: Vec<_> = schema.methods.iter().map(|method| E::method_name(&method.name)).collect();
    let missing: Vec<_> = wanted.iter().filter(|name| !declared.methods.contains(name)).collect();
    if missing.is_empty() {
        return Ok(described);
    }
    let spare: Vec<_> = declared.methods.iter().filter(|name| !wanted.contains(name)).map(String::as_str).collect();
    let missing: Vec<_> = missing
        .into_iter()
        .map(|name| match super::nearest::nearest(name, &spare) {
            Some(near) => format!("`{name}` (it has `{near}`: is that a misspelling?)"),
            None => format!("`{name}`"),
        })
        .collect();
    let methods = if missing.len() == 1 { "method" } else { "methods" };
    Err(format!("the plugin for {schema} lacks the {methods} {}", missing.join(", ")))
}
