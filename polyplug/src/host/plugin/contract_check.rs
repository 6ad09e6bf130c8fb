//! Checks of the contract that a plugin implements against the contract that the host calls.

use std::path::Path;
use std::sync::Arc;

use polyplug_abi::{DispatchType, GuestContractId};

use super::plugin::Plugin;
use super::schema::{PluginSchema, linked, read_shipped, schema_file};
use crate::contract_info::ContractInfo;
use crate::host::abi::interface::native_functions;
use crate::host::adapter::method_map::MethodMap;
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
    directory: Option<&Path>,
) -> Result<(), RuntimeError> {
    for plugin in plugins {
        if let (None, Some(directory)) = (&plugin.schema, directory) {
            plugin.schema = from_file(plugin, bundle, directory)?;
        }
        let Some(described) = &plugin.schema else { continue };
        let mut refusal = None;
        for linked in linked(plugin.contract_id) {
            match differences(linked.info, &linked.schema, described) {
                differences if differences.is_empty() => {
                    refusal = None;
                    break;
                }
                differences => {
                    refusal.get_or_insert((linked.info, differences));
                }
            }
        }
        if let Some((info, differences)) = refusal {
            return Err(incompatible(info, plugin, bundle, differences));
        }
    }
    Ok(())
}

fn file_name(plugin: &Plugin) -> String {
    schema_file(&plugin.contract, plugin.interface.contract_version.major)
}

fn from_file(plugin: &Plugin, bundle: &str, directory: &Path) -> Result<Option<PluginSchema>, RuntimeError> {
    let name = file_name(plugin);
    // The name comes from the plugin, and must not lead out of the directory.
    if name.contains(['/', '\\']) {
        return Ok(None);
    }
    let path = directory.join(&name);
    let shipped = read_shipped(directory, &name);
    let Some(bytes) = shipped.map_err(|error| bad_file(bundle, &path, error.into_io().to_string()))? else {
        return Ok(None);
    };
    let described = read(&bytes, plugin).map_err(|error| bad_file(bundle, &path, error.to_string()))?;
    Ok(Some(described))
}

fn bad_file(bundle: &str, path: &Path, reason: String) -> RuntimeError {
    LoaderError::ArtifactInvalid { bundle: bundle.to_owned(), path: path.to_owned(), reason }.into()
}

fn differences(info: &ContractInfo, host: &Schema, plugin: &PluginSchema) -> Vec<Difference> {
    match plugin {
        PluginSchema::Linked(linked) if std::ptr::eq(linked.info, info) => Vec::new(),
        // Compiles the adapters as well, which finds what no adapter can follow.
        other => MethodMap::new(host, other.schema()).err().unwrap_or_default(),
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
    if let PluginSchema::Linked(linked) = described
        && std::ptr::eq(linked.info, info)
    {
        return Ok(None);
    }
    let map = MethodMap::new(&(info.schema)(), described.schema());
    map.map_err(|differences| incompatible(info, plugin, bundle, differences))
}
