//! The functions that register plugins, host contracts and loaders.

use std::ffi::c_void;
use std::sync::Arc;

use polyplug_abi::{
    AbiError, AbiErrorCode, BundleId, GuestContractInterface, HostApi, HostContractInterface, PluginDescriptor,
    PluginRegistration,
};

use super::error::ApiError;
use super::with_runtime::with_runtime;
use crate::host::error::registry::RegistryError;
use crate::host::host_contract::provided::Provided;
use crate::host::plugin::plugin::Plugin;
use crate::host::plugin::read::{read_plugin, read_registration};
use crate::host::runtime::context::HostContext;
use crate::host::runtime::loader::BundleLoader;
use crate::host::runtime::runtime::Runtime;
use crate::host::runtime::staging;

// Table-call contract: a function here is called through the table, as `HostApi` documents. So `host` is null or a
// valid table of this library, and each other pointer is null or leads to memory of its type.

pub(crate) unsafe extern "C" fn register_guest_contract(
    host: *const HostApi,
    descriptor: *const PluginDescriptor,
    interface: *const GuestContractInterface,
    out_err: *mut AbiError,
) {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |context, runtime| {
            if descriptor.is_null() || interface.is_null() {
                return Err(ApiError::null("the descriptor or the interface"));
            }
            register(context, runtime, |bundle| read_plugin(bundle, descriptor, interface))
        });
    }
}

pub(crate) unsafe extern "C" fn register_plugin(
    host: *const HostApi,
    registration: *const PluginRegistration,
    out_err: *mut AbiError,
) {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |context, runtime| {
            if registration.is_null() {
                return Err(ApiError::null("the registration"));
            }
            register(context, runtime, |bundle| read_registration(bundle, registration))
        });
    }
}

/// Adds a plugin to the bundle that the table belongs to, or, for the host's own table, to the bundle that this thread
/// is loading.
fn register(
    context: &HostContext,
    runtime: &Runtime,
    read: impl FnOnce(BundleId) -> Result<Plugin, RegistryError>,
) -> Result<(), ApiError> {
    if let Some(scope) = &context.bundle {
        return Ok(scope.registrations.add(read(scope.id))?);
    }
    let loading = staging::current_load(|staging| staging.context().belongs_to(runtime));
    let Some(staging) = loading else {
        return Err(ApiError::new(
            AbiErrorCode::NotAllowed,
            "no bundle is being loaded on this thread: plugins are registered from their bundle's polyplug_init",
        ));
    };
    Ok(staging.register(read(staging.version().id()))?)
}

pub(crate) unsafe extern "C" fn register_host_contract(
    host: *const HostApi,
    interface: *const HostContractInterface,
    out_err: *mut AbiError,
) {
    // SAFETY: the table-call contract, by which the caller also keeps the interface valid.
    unsafe {
        with_runtime(host, out_err, (), |_, runtime| {
            if interface.is_null() {
                return Err(ApiError::null("the interface"));
            }
            let provided =
                Provided::of_table(interface).map_err(|text| ApiError::new(AbiErrorCode::InvalidInterface, text))?;
            if runtime.host_contracts().add(Arc::new(provided)) {
                return Ok(());
            }
            Err(ApiError::new(AbiErrorCode::DuplicateProvider, "the runtime provides this host contract already"))
        });
    }
}

pub(crate) unsafe extern "C" fn register_loader(host: *const HostApi, loader: *mut c_void, out_err: *mut AbiError) {
    // SAFETY: the table-call contract, by which a `loader` is a boxed `Box<dyn BundleLoader>`.
    unsafe {
        with_runtime(host, out_err, (), |_, runtime| {
            if loader.is_null() {
                return Err(ApiError::null("the loader"));
            }
            let loader = *Box::from_raw(loader.cast::<Box<dyn BundleLoader>>());
            runtime.register_loader(loader)?;
            Ok(())
        });
    }
}
