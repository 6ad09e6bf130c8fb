//! The functions that find contracts of bundles and of the host.

use std::sync::Arc;

use polyplug_abi::{
    AbiError, AbiErrorCode, Array, BundleId, DependencyInfo, GuestContractHandle, GuestContractId,
    GuestContractInterface, HostApi, HostContractId, HostContractInstance, HostContractInterface,
};

use super::error::ApiError;
use super::with_runtime::{array, with_runtime};
use crate::host::error::registry::RegistryError;
use crate::host::host_contract::provided::Provided;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::runtime::Runtime;
use crate::host::store::provider::Provider;

// Table-call contract: a function here is called through the table, as `HostApi` documents. So `host` is null or a
// valid table of this library, and each other pointer is null or leads to memory of its type.

/// Returns the name of a contract, or its id if no loaded bundle provides it.
#[cold]
fn contract_name(runtime: &Runtime, contract: GuestContractId) -> String {
    let snapshot = runtime.snapshot();
    let provider = snapshot.view().providers(contract).next();
    provider.map_or_else(
        || contract.to_string(),
        |(_, provider)| {
            let plugin = &provider.plugin;
            format!("{}@{}", plugin.contract, plugin.interface.contract_version.major)
        },
    )
}

/// Returns the least minor version of a contract that the caller may look up.
fn required_minor(context: &HostContext, runtime: &Runtime, contract_id: u64) -> Result<u32, ApiError> {
    let Some(scope) = &context.bundle else { return Ok(0) };
    let contract = GuestContractId::from_u64(contract_id);
    scope.required_minor(contract).ok_or_else(|| {
        let name = contract_name(runtime, contract);
        let text = format!(
            "bundle `{}` may not look up the contract {name}, for its manifest does not declare it: add `[[dependency]]` \
             with the contract's name",
            scope.name
        );
        ApiError::new(AbiErrorCode::NotAllowed, text)
    })
}

/// Checks that the caller may use a provider: the provider is of the caller's own bundle, or that bundle's manifest
/// declares the contract, in a version that is not newer.
pub(super) fn check_provider(context: &HostContext, runtime: &Runtime, provider: &Provider) -> Result<(), ApiError> {
    let Some(caller) = context.bundle_id() else { return Ok(()) };
    if provider.version.as_ref().is_some_and(|version| version.id() == caller) {
        return Ok(());
    }
    let contract_id = provider.plugin.contract_id.id();
    let min_version = required_minor(context, runtime, contract_id)?;
    if provider.plugin.interface.contract_version.minor < min_version {
        return Err(RegistryError::NotFound { contract_id, min_version }.into());
    }
    Ok(())
}

/// Checks that the caller may use the provider of a handle. A handle need not come from a look-up.
pub(super) fn check_handle(
    context: &HostContext,
    runtime: &Runtime,
    handle: GuestContractHandle,
) -> Result<(), ApiError> {
    if context.bundle.is_none() {
        return Ok(());
    }
    check_provider(context, runtime, &*runtime.store().lease(handle)?)
}

pub(crate) unsafe extern "C" fn find_guest_contract(
    host: *const HostApi,
    contract_id: u64,
    min_version: u32,
) -> GuestContractHandle {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), GuestContractHandle::null(), |context, runtime| {
            let min_version = required_minor(context, runtime, contract_id)?.max(min_version);
            Ok(runtime.find_guest_contract(contract_id, min_version)?)
        })
    }
}

pub(crate) unsafe extern "C" fn find_all_guest_contracts(
    host: *const HostApi,
    contract_id: u64,
    min_version: u32,
) -> Array<GuestContractHandle> {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), Array::empty(), |context, runtime| {
            let min_version = required_minor(context, runtime, contract_id)?.max(min_version);
            Ok(array(&runtime.find_all_guest_contracts(contract_id, min_version)))
        })
    }
}

pub(crate) unsafe extern "C" fn resolve_guest_contract(
    host: *const HostApi,
    handle: GuestContractHandle,
) -> *const GuestContractInterface {
    if handle.is_null() {
        return std::ptr::null();
    }
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), std::ptr::null(), |context, runtime| {
            check_handle(context, runtime, handle)?;
            Ok(runtime.resolve_guest_contract(handle)?)
        })
    }
}

/// Returns the error of a failed look-up of a host contract.
fn no_host_contract(runtime: &Runtime, id: HostContractId, min_version: u32, other_version: bool) -> ApiError {
    if other_version {
        let name = runtime.host_contracts().name(id);
        let text = format!("host contract {name}: the host provides an older minor version than {min_version}");
        return ApiError::new(AbiErrorCode::HostContractVersionMismatch, text);
    }
    ApiError::new(AbiErrorCode::HostContractNotFound, format!("host contract {id}: the host does not provide it"))
}

/// Finds a host contract that the caller may use.
fn host_contract(
    context: &HostContext,
    runtime: &Runtime,
    id: HostContractId,
    min_version: u32,
) -> Result<Arc<Provided>, ApiError> {
    let least = match &context.bundle {
        Some(scope) => runtime.grants().required_minor(scope, id, || runtime.host_contracts().name(id))?,
        None => 0,
    };
    let min_version = least.max(min_version);
    runtime.host_contracts().resolve(id, min_version).map_err(|other| no_host_contract(runtime, id, min_version, other))
}

pub(crate) unsafe extern "C" fn get_host_contract(
    host: *const HostApi,
    contract_id: u64,
    min_version: u32,
) -> HostContractInstance {
    let id = HostContractId::from_u64(contract_id);
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), HostContractInstance::null(), |context, runtime| {
            let provided = host_contract(context, runtime, id, min_version)?;
            let bundle = context.bundle.as_ref().map_or("", |scope| scope.name.as_str());
            provided.lend(bundle).map_err(|reason| ApiError::new(AbiErrorCode::FactoryFailed, reason))
        })
    }
}

pub(crate) unsafe extern "C" fn resolve_host_contract_interface(
    host: *const HostApi,
    contract_id: u64,
    min_version: u32,
) -> *const HostContractInterface {
    let id = HostContractId::from_u64(contract_id);
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), std::ptr::null(), |context, runtime| {
            let provided = host_contract(context, runtime, id, min_version)?;
            Ok(std::ptr::from_ref(provided.interface()))
        })
    }
}

pub(crate) unsafe extern "C" fn list_bundles(host: *const HostApi) -> Array<BundleId> {
    // SAFETY: the table-call contract.
    unsafe { with_runtime(host, std::ptr::null_mut(), Array::empty(), |_, runtime| Ok(array(&runtime.bundle_ids()))) }
}

pub(crate) unsafe extern "C" fn get_dependencies(host: *const HostApi) -> Array<DependencyInfo> {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), Array::empty(), |context, _| {
            Ok(context.bundle.as_ref().map_or(Array::empty(), |scope| array(scope.declared())))
        })
    }
}

pub(crate) unsafe extern "C" fn find_guest_contract_in(
    host: *const HostApi,
    contract_id: u64,
    bundle_id: u64,
) -> GuestContractHandle {
    let bundle = BundleId::from_u64(bundle_id);
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), GuestContractHandle::null(), |context, runtime| {
            required_minor(context, runtime, contract_id)?;
            Ok(runtime.find_guest_contract_in(contract_id, bundle)?)
        })
    }
}

pub(crate) unsafe extern "C" fn prefer(host: *const HostApi, contract_id: u64, bundle_id: u64, out_err: *mut AbiError) {
    let bundle = BundleId::from_u64(bundle_id);
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |_, runtime| Ok(runtime.prefer_guest_contract(contract_id, bundle)?));
    }
}

pub(crate) unsafe extern "C" fn lease(
    host: *const HostApi,
    handle: GuestContractHandle,
    out_err: *mut AbiError,
) -> *const GuestContractInterface {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, std::ptr::null(), |context, runtime| {
            check_handle(context, runtime, handle)?;
            Ok(runtime.leases().keep(runtime.lease(handle)?, context.bundle_id()))
        })
    }
}

pub(crate) unsafe extern "C" fn release(host: *const HostApi, interface: *const GuestContractInterface) {
    // SAFETY: the table-call contract; `interface` is only compared.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), (), |context, runtime| {
            match runtime.leases().release(interface, context.bundle_id()) {
                true => Ok(()),
                false => Err(ApiError::new(AbiErrorCode::InvalidPointer, "release: there is no lease on this table")),
            }
        });
    }
}
