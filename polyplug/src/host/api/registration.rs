//! What bundles and hosts hand over: plugins, host contracts, loaders.

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

// SAFETY (for every function here): called through the table as `HostApi` documents, so `host` is null or a valid table
// of ours, and the other pointers are null or lead to memory of their types.

pub(crate) unsafe extern "C" fn register_guest_contract(
    host: *const HostApi,
    descriptor: *const PluginDescriptor,
    interface: *const GuestContractInterface,
    out_err: *mut AbiError,
) {
    // SAFETY: as above.
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
    // SAFETY: as above.
    unsafe {
        with_runtime(host, out_err, (), |context, runtime| {
            if registration.is_null() {
                return Err(ApiError::null("the registration"));
            }
            register(context, runtime, |bundle| read_registration(bundle, registration))
        });
    }
}

/// Adds a plugin to the bundle whose table was used, or, through the host's own, to the one this thread is loading.
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
    // SAFETY: as above; the table's documentation asks the caller to keep the interface valid.
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
    // SAFETY: as above; the table's documentation asks for a boxed `Box<dyn BundleLoader>`.
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
