//! Reading what plugins register through the C ABI.

use polyplug_abi::{BundleId, GuestContractInterface, PluginDescriptor, PluginRegistration};

use super::contract_check;
use super::plugin::Plugin;
use crate::host::abi::interface::{checked, checked_name};
use crate::host::error::registry::RegistryError;

/// Reads what a plugin without a schema registers.
///
/// # Safety
///
/// Both pointers must be null or lead to readable memory of their types.
pub(crate) unsafe fn read_plugin(
    bundle: BundleId,
    descriptor: *const PluginDescriptor,
    interface: *const GuestContractInterface,
) -> Result<Plugin, RegistryError> {
    let invalid = |plugin: &str, reason| RegistryError::InvalidInterface { plugin: plugin.to_owned(), reason };
    if descriptor.is_null() || !descriptor.is_aligned() {
        return Err(invalid("?", "the descriptor is null or not aligned".to_owned()));
    }
    // SAFETY: not null and aligned (checked above), readable (the caller's promise); every bit pattern is valid.
    let descriptor = unsafe { descriptor.read() };
    // SAFETY: the caller's promise.
    let name = unsafe { checked_name(descriptor.name, "plugin's name") }.map_err(|reason| invalid("?", reason))?;
    // SAFETY: the caller's promise.
    let contract = unsafe { checked_name(descriptor.contract_name, "contract's name") }
        .map_err(|reason| invalid(&name, reason))?;
    // SAFETY: the caller's promise.
    let interface = unsafe { checked(interface) }.map_err(|reason| invalid(&name, reason))?;
    Ok(Plugin::plain(&descriptor, name, contract, bundle, interface))
}

/// Reads what `#[plugin]` registers.
///
/// # Safety
///
/// The pointer must be null or lead to a readable registration of the size it states.
pub(crate) unsafe fn read_registration(
    bundle: BundleId,
    registration: *const PluginRegistration,
) -> Result<Plugin, RegistryError> {
    let invalid = |reason: String| RegistryError::InvalidInterface { plugin: "?".to_owned(), reason };
    if registration.is_null() || !registration.is_aligned() {
        return Err(invalid("the registration is null or not aligned".to_owned()));
    }
    // SAFETY: not null and aligned (checked above); a registration of any version begins with its size.
    let size = unsafe { (&raw const (*registration).struct_size).read() };
    if size < size_of::<PluginRegistration>() {
        let least = size_of::<PluginRegistration>();
        return Err(invalid(format!("the registration has {size} bytes, and version 1 of the ABI has {least}")));
    }
    // SAFETY: large enough (checked above). Optional functions are nullable, so every bit pattern is valid.
    let registration = unsafe { registration.read() };
    // SAFETY: the caller's promise.
    let plugin = unsafe { read_plugin(bundle, &raw const registration.descriptor, registration.interface) }?;
    // SAFETY: the caller's promise.
    let schema = unsafe { registration.schema.bytes() }.ok_or_else(|| invalid("the schema is null".to_owned()))?;
    let schema = if schema.is_empty() { None } else { Some(contract_check::read(schema, &plugin)?) };
    let PluginRegistration { flags, create, save, restore, health, .. } = registration;
    Ok(Plugin { flags, create, save, restore, health, schema, ..plugin })
}
