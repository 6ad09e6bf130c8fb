//! Reads the registrations of plugins that arrive through the C ABI.

use polyplug_abi::{BundleId, GuestContractInterface, PluginDescriptor, PluginRegistration};

use super::contract_check;
use super::plugin::Plugin;
use crate::host::abi::interface::{checked, checked_name};
use crate::host::error::registry::RegistryError;

/// Reads the registration of a plugin without a schema.
///
/// # Safety
///
/// Both pointers must be null or point to readable memory of their types, whose names and table are readable as well.
pub(crate) unsafe fn read_plugin(
    bundle: BundleId,
    descriptor: *const PluginDescriptor,
    interface: *const GuestContractInterface,
) -> Result<Plugin, RegistryError> {
    let invalid = |plugin: &str, reason| RegistryError::InvalidInterface { plugin: plugin.to_owned(), reason };
    if descriptor.is_null() || !descriptor.is_aligned() {
        return Err(invalid("?", "the descriptor is null or not aligned".to_owned()));
    }
    // SAFETY: not null and aligned (checked above), readable (guaranteed by the caller); every bit pattern is valid.
    let descriptor = unsafe { descriptor.read() };
    // SAFETY: the name is readable (guaranteed by the caller).
    let name = unsafe { checked_name(descriptor.name, "plugin's name") }.map_err(|reason| invalid("?", reason))?;
    // SAFETY: the name is readable (guaranteed by the caller).
    let contract = unsafe { checked_name(descriptor.contract_name, "contract's name") }
        .map_err(|reason| invalid(&name, reason))?;
    // SAFETY: the interface is null or readable, and so is its table (guaranteed by the caller).
    let interface = unsafe { checked(interface) }.map_err(|reason| invalid(&name, reason))?;
    Ok(Plugin::plain(&descriptor, name, contract, bundle, interface))
}

/// Reads the registration that `#[plugin]` makes.
///
/// # Safety
///
/// The pointer must be null or point to a readable registration of the size that the registration states. The memory
/// that the registration points to must be readable as well.
pub(crate) unsafe fn read_registration(
    bundle: BundleId,
    registration: *const PluginRegistration,
) -> Result<Plugin, RegistryError> {
    let invalid = |reason: String| RegistryError::InvalidInterface { plugin: "?".to_owned(), reason };
    if registration.is_null() || !registration.is_aligned() {
        return Err(invalid("the registration is null or not aligned".to_owned()));
    }
    // SAFETY: not null and aligned (checked above), readable (guaranteed by the caller); a registration of any version
    // begins with its size.
    let size = unsafe { (&raw const (*registration).struct_size).read() };
    if size < size_of::<PluginRegistration>() {
        let least = size_of::<PluginRegistration>();
        return Err(invalid(format!("the registration has {size} bytes, and version 1 of the ABI has {least}")));
    }
    // SAFETY: readable (guaranteed by the caller) and large enough (checked above). Optional functions are nullable, so
    // every bit pattern is valid.
    let registration = unsafe { registration.read() };
    // SAFETY: descriptor and interface are readable (guaranteed by the caller).
    let plugin = unsafe { read_plugin(bundle, &raw const registration.descriptor, registration.interface) }?;
    // SAFETY: the schema is readable (guaranteed by the caller).
    let schema = unsafe { registration.schema.bytes() }.ok_or_else(|| invalid("the schema is null".to_owned()))?;
    let schema = if schema.is_empty() { None } else { Some(contract_check::read(schema, &plugin)?) };
    let PluginRegistration { flags, create, save, restore, health, .. } = registration;
    Ok(Plugin { flags, create, save, restore, health, schema, ..plugin })
}
