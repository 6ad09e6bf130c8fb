//! The two symbols that a native bundle exports.
//!
//! This module defines the symbols once, and the linker puts them into every `cdylib` that links polyplug. A plugin
//! crate contributes only its entries in the list of plugins.

use polyplug_abi::{AbiError, AbiErrorCode, BundleInitContext, HostApi, POLYPLUG_ABI_VERSION};

use crate::guest::error::write_error;
use crate::guest::panic::{catch, describe_panic, install_hook};
use crate::guest::plugin::PluginEntry;
use crate::guest::unload::{UnloadEntry, register_unload};

/// Returns the version of the ABI that this library was built with.
// SAFETY: the name is polyplug's own; nothing else may define it.
#[unsafe(no_mangle)]
extern "C" fn polyplug_abi_version() -> u32 {
    POLYPLUG_ABI_VERSION
}

/// Registers every `#[plugin]` of this library with the host.
// SAFETY: the name is polyplug's own; nothing else may define it.
#[unsafe(no_mangle)]
unsafe extern "C" fn polyplug_init(host: *const HostApi, _: *const BundleInitContext, out_err: *mut AbiError) {
    // SAFETY: valid or null, by the ABI.
    let Some(api) = (unsafe { host.as_ref() }) else {
        // SAFETY: writable or null, by the ABI.
        unsafe { write_error(out_err, host, std::ptr::null_mut(), AbiErrorCode::InvalidPointer, "") };
        return;
    };
    install_hook(api);
    // SAFETY: not null, and valid by the ABI.
    let outcome = catch(|| unsafe {
        install_logs(host)?;
        register_all(host, &PluginEntry::all(), &UnloadEntry::all())
    });
    match outcome {
        Ok(Ok(())) => {}
        // SAFETY: writable by the ABI where not null.
        Ok(Err(error)) => unsafe {
            if !out_err.is_null() {
                out_err.write(error);
            }
        },
        Err(payload) => {
            let text = describe_panic(payload);
            // SAFETY: writable or null, by the ABI; `host` is valid.
            unsafe { write_error(out_err, host, std::ptr::null_mut(), AbiErrorCode::Panic, &text) };
        }
    }
}

/// Sends the events of the crates `tracing` and `log` in this library to a host's log, as far as the features say so.
///
/// # Safety
///
/// `host` must be valid.
#[cfg_attr(not(any(feature = "log", feature = "tracing")), allow(unused_variables, clippy::unnecessary_wraps))]
unsafe fn install_logs(host: *const HostApi) -> Result<(), AbiError> {
    #[cfg(any(feature = "log", feature = "tracing"))]
    // SAFETY: `host` is valid (the caller's promise).
    unsafe {
        crate::guest::host_log::add(host)?;
    }
    #[cfg(feature = "tracing")]
    crate::guest::tracing_events::install();
    #[cfg(feature = "log")]
    crate::guest::log_records::install();
    Ok(())
}

/// Registers functions for the unload with a host, then plugins, up to the first that the host rejects.
///
/// # Safety
///
/// `host` must be valid.
pub(crate) unsafe fn register_all(
    host: *const HostApi,
    plugins: &[&PluginEntry],
    unload: &[&'static UnloadEntry],
) -> Result<(), AbiError> {
    // First, as a plugin that fails to start may leave something behind.
    // SAFETY: `host` is valid (the caller's promise).
    unsafe { register_unload(host, unload) }?;
    for plugin in plugins {
        // Made at each load and dropped again: a library must not leave an allocation behind when it is unmapped.
        let schema = ((plugin.contract)().schema)().encode();
        let registration = plugin.registration(&schema);
        let mut error = AbiError::ok();
        // SAFETY: `host` is valid (the caller's promise); the registration and its views are alive during the call.
        unsafe { ((*host).register_plugin)(host, &raw const registration, &raw mut error) };
        if !error.is_ok() {
            return Err(error);
        }
    }
    Ok(())
}
