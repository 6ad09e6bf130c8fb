//! Host contracts that a test file implements.
//!
//! A stand-in is a plugin of the test bundle. Arguments and results of a host contract have the same canonical layout as
//! those of a plugin of that contract, so a call is handed on as it is.

use std::ffi::c_void;
use std::sync::OnceLock;

use anyhow::{Result, bail};
use polyplug::runtime::BundleInfo;
use polyplug::{GuestContractId, HostContractId, Runtime, Version};
use polyplug_abi::{
    AbiError, AbiErrorCode, CallArena, DispatchMechanisms, DispatchType, GuestContractInstance, HostApi,
    HostContractInstance, HostContractInterface, StringView, VmDispatch, VmLoaderData,
};

use super::contract::Tests;

/// A plugin that stands in for a host contract.
struct StandInPlugin {
    /// The host's own table, which is valid as long as the runtime.
    host: *const HostApi,
    contract: GuestContractId,
    bundle: u64,
    /// The instance that all calls go to: a stand-in is a singleton.
    instance: OnceLock<GuestContractInstance>,
}

/// Provides the contracts that the plugins of a test bundle implement as host contracts.
pub(crate) fn provide(runtime: &Runtime, test_bundle: &BundleInfo) -> Result<()> {
    let host = runtime.host_abi();
    for plugin in &test_bundle.plugins {
        let (name, major) = (plugin.contract.as_str(), plugin.contract_version.major);
        if name == <dyn Tests as polyplug::Contract>::NAME {
            continue;
        }
        let contract = GuestContractId::new(name, major);
        let plugin = StandInPlugin { host, contract, bundle: test_bundle.id.id(), instance: OnceLock::new() };
        // The runtime may use both for as long as it exists, and a test that hangs keeps it for the rest of the process. There
        // are a few for each test file.
        let data: *mut c_void = std::ptr::from_mut(Box::leak(Box::new(plugin))).cast();
        let table: &'static HostContractInterface = Box::leak(Box::new(HostContractInterface {
            contract_id: HostContractId::new(name, major),
            // The schema that the test bundle has decides which methods there are.
            contract_version: Version { major, minor: u32::MAX, patch: 0 },
            singleton: 1,
            dispatch_type: DispatchType::VirtualMachine,
            user_data: data,
            create_instance,
            destroy_instance,
            dispatch: DispatchMechanisms { vm: VmDispatch { call, loader_data: VmLoaderData { data } } },
        }));
        let mut error = AbiError::ok();
        // SAFETY: `host` is the table of `runtime`. The interface, with its data, is never freed.
        unsafe { ((*host).register_host_contract)(host, table, &raw mut error) };
        if !error.is_ok() {
            // SAFETY: the text stays readable until this thread's next call of the table.
            let text = unsafe { error.message.bytes() }.unwrap_or_default();
            bail!("{name}@{major}: {}", String::from_utf8_lossy(text));
        }
    }
    Ok(())
}

impl StandInPlugin {
    /// Returns the instance that calls go to, or the null instance after an error was reported.
    ///
    /// # Safety
    ///
    /// `out_err` must be writable.
    unsafe fn instance(&self, out_err: *mut AbiError) -> GuestContractInstance {
        if let Some(made) = self.instance.get() {
            return *made;
        }
        let mut made = GuestContractInstance::null();
        // SAFETY: the table is valid as long as the runtime, in which a call is running. `out_err` is writable (the caller's
        // promise).
        unsafe {
            let handle = ((*self.host).find_guest_contract_in)(self.host, self.contract.id(), self.bundle);
            let create = (*self.host).create_guest_instance;
            create(self.host, handle, std::ptr::null(), &raw mut made, out_err);
        }
        // Two threads may get here at a time, and get the same instance, as stand-ins are singletons.
        if made.is_null() { made } else { *self.instance.get_or_init(|| made) }
    }
}

unsafe extern "C" fn create_instance(
    table: *const HostContractInterface,
    _: *const (),
    out_instance: *mut HostContractInstance,
) {
    // Any address that is not null will do: `call` finds the plugin by the table's data.
    // SAFETY: by the protocol, `table` is the caller's valid table and `out_instance` is writable.
    unsafe { out_instance.write(HostContractInstance { data: (*table).user_data }) };
}

unsafe extern "C" fn destroy_instance(_: *const HostContractInterface, _: HostContractInstance) {}

unsafe extern "C" fn call(
    loader_data: VmLoaderData,
    _: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: `provide` put a plugin there, which is never freed.
    let plugin = unsafe { &*loader_data.data.cast::<StandInPlugin>() };
    let mut ignored = AbiError::ok();
    let out_err = if out_err.is_null() { &raw mut ignored } else { out_err };
    // SAFETY: `out_err` is writable by the protocol of calls, or the local one.
    let instance = unsafe { plugin.instance(out_err) };
    if instance.is_null() {
        // SAFETY: as above.
        unsafe {
            if (*out_err).is_ok() {
                let text = StringView::from_static(b"the stand-in of the test file is gone");
                out_err.write(AbiError::new(AbiErrorCode::HostContractNotFound, text));
            }
        }
        return;
    }
    // SAFETY: the caller promises arguments, and memory for the result, in the canonical layout of the method, which is
    // that of the plugin's method as well.
    unsafe { ((*plugin.host).call_guest_method)(plugin.host, instance, fn_id, args, out, arena, out_err) };
}
