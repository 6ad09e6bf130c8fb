//! Checks of the contract that a plugin implements against the contract that the host calls.

use std::path::Path;
use std::sync::Arc;

use polyplug_abi::{DispatchType, GuestContractId};

use super::plugin::Plugin;
use super::schema::{Linked, PluginSchema, linked, read_shipped, schema_file};
use crate::contract_info::ContractInfo;
use crate::host::abi::interface::native_functions;
use crate::host::adapter::method_map::MethodMap;
use crate::host::bundle::files::Files;
use crate::host::error::loader::LoaderError;
use crate::host::error::registry::RegistryError;
use crate::host::error::runtime::RuntimeError;
use crate::schema::{Difference, Schema};

/// Reads the schema that a plugin registered as bytes.
pub(crate) fn read(bytes: &[u8], plugin: &Plugin) -> Result<PluginSchema, RegistryError> {
    // A linked schema was most likely encoded by the same code as the plugin's, so equal bytes are tried first.
    let described = match linked(plugin.contract_id).iter().find(|linked| linked.encoded == bytes) {
        Some(linked) => PluginSchema::Linked(linked),
        None => {
            let schema = Schema::decode(bytes).map_err(|error| invalid(plugin, error.to_string()))?;
            PluginSchema::Own(Arc::new(schema))
        }
    };
    check_table(described.schema(), plugin)?;
    Ok(described)
}

/// Checks that a schema belongs to the plugin's table.
fn check_table(schema: &Schema, plugin: &Plugin) -> Result<(), RegistryError> {
    let interface = &plugin.interface;
    if GuestContractId::new(&schema.name, schema.major) != plugin.contract_id {
        return Err(invalid(plugin, format!("the schema is of {schema}, and the interface is not")));
    }
    let minor = interface.contract_version.minor;
    if minor != schema.minor {
        let major = schema.major;
        return Err(invalid(
            plugin,
            format!("the schema is of {schema}, and the interface is of version {major}.{minor}"),
        ));
    }
    if interface.dispatch_type == DispatchType::Native {
        // SAFETY: the interface is native (checked above), and `checked` accepted it when the plugin was read.
        let functions = unsafe { native_functions(interface) }.len();
        if functions != schema.methods.len() {
            let methods = schema.methods.len();
            return Err(invalid(
                plugin,
                format!("the table has {functions} functions, and {schema} has {methods} methods"),
            ));
        }
    }
    Ok(())
}

fn invalid(plugin: &Plugin, reason: String) -> RegistryError {
    RegistryError::InvalidInterface { plugin: plugin.name.clone(), reason }
}

/// Finds the schemas that a bundle ships as files, and refuses plugins that implement another contract than this
/// program calls.
pub(crate) fn attach_and_check_schemas(
    plugins: &mut [Plugin],
    bundle: &str,
    files: Option<&Files>,
) -> Result<(), RuntimeError> {
    for plugin in plugins {
        if let (None, Some(files)) = (&plugin.schema, files) {
            plugin.schema = from_file(plugin, bundle, files)?;
        }
        let Some(described) = &plugin.schema else { continue };
        plugin.maps.clear();
        let mut refusal = None;
        for linked in linked(plugin.contract_id) {
            // Compiles the adapters once for the load and for all proxies.
            match map_between(linked, described) {
                Ok(map) => plugin.maps.push((linked.info, map)),
                Err(differences) => {
                    refusal.get_or_insert((linked.info, differences));
                }
            }
        }
        // One build of the contract that can call the plugin suffices. Proxies of the others are refused.
        if let (true, Some((info, differences))) = (plugin.maps.is_empty(), refusal) {
            return Err(incompatible(info, plugin, bundle, differences));
        }
    }
    Ok(())
}

fn file_name(plugin: &Plugin) -> String {
    schema_file(&plugin.contract, plugin.interface.contract_version.major)
}

fn from_file(plugin: &Plugin, bundle: &str, files: &Files) -> Result<Option<PluginSchema>, RuntimeError> {
    let name = file_name(plugin);
    // The name comes from the plugin, and must not lead out of the bundle.
    if name.contains(['/', '\\']) {
        return Ok(None);
    }
    let path = files.root().join(&name);
    let shipped = read_shipped(files, &name);
    let Some(bytes) = shipped.map_err(|error| bad_file(bundle, &path, error.into_io().to_string()))? else {
        return Ok(None);
    };
    let described = read(&bytes, plugin).map_err(|error| bad_file(bundle, &path, error.to_string()))?;
    Ok(Some(described))
}

fn bad_file(bundle: &str, path: &Path, reason: String) -> RuntimeError {
    LoaderError::ArtifactInvalid { bundle: bundle.to_owned(), path: path.to_owned(), reason }.into()
}

fn map_between(host: &Linked, plugin: &PluginSchema) -> Result<Option<Arc<MethodMap>>, Vec<Difference>> {
    match plugin {
        PluginSchema::Linked(linked) if std::ptr::eq(linked.info, host.info) => Ok(None),
        other => MethodMap::new(&host.schema, other.schema()),
    }
}

fn incompatible(info: &ContractInfo, plugin: &Plugin, bundle: &str, differences: Vec<Difference>) -> RuntimeError {
    RuntimeError::Incompatible {
        bundle: bundle.to_owned(),
        plugin: plugin.name.clone(),
        contract: info.name.to_owned(),
        expected: info.version(),
        provided: plugin.interface.contract_version,
        differences,
    }
}

pub(crate) fn no_schema(plugin: &Plugin, bundle: &str) -> RuntimeError {
    RuntimeError::NoSchema {
        bundle: bundle.to_owned(),
        plugin: plugin.name.clone(),
        contract: plugin.contract.clone(),
        file: file_name(plugin),
    }
}

/// Returns the plugin's methods in the order of the host's contract `info`, or `None` if both have the same.
pub(crate) fn method_map(
    info: &'static ContractInfo,
    plugin: &Plugin,
    bundle: &str,
) -> Result<Option<Arc<MethodMap>>, RuntimeError> {
    let Some(described) = &plugin.schema else {
        return Err(no_schema(plugin, bundle));
    };
    if let Some((_, known)) = plugin.maps.iter().find(|(known, _)| std::ptr::eq(*known, info)) {
        return Ok(known.clone());
    }
    // The check has refused this contract, or the plugin's table was swapped without one.
    let map = linked(plugin.contract_id)
        .iter()
        .find(|linked| std::ptr::eq(linked.info, info))
        .map_or_else(|| MethodMap::new(&(info.schema)(), described.schema()), |linked| map_between(linked, described));
    map.map_err(|differences| incompatible(info, plugin, bundle, differences))
}
