//! The functions that make, call and destroy instances. Callers know an instance by a token.

use polyplug_abi::{AbiError, AbiErrorCode, CallArena, GuestContractHandle, GuestContractInstance, HostApi};

use super::error::ApiError;
use super::lookup::{check_handle, check_provider};
use super::with_runtime::{with_callee, with_runtime};
use crate::host::abi::dispatch::CallFrame;
use crate::host::plugin_proxy::depth::DepthGuard;

// Table-call contract: a function here is called through the table, as `HostApi` documents. So `host` is null or a
// valid table of this library, and each other pointer is null or leads to memory of its type.

pub(crate) unsafe extern "C" fn call_guest_method(
    host: *const HostApi,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: the table-call contract.
    unsafe {
        with_callee(host, CallFrame { args, out, arena, out_err }, |context, runtime, frame| {
            let lease = runtime.instance(instance)?;
            check_provider(context, runtime, lease.versioned().provider())?;
            let _deeper = DepthGuard::enter()?;
            if lease.versioned().call(fn_id, frame) {
                frame.keep_message();
                return Ok(());
            }
            let text = format!("the provider has no function {fn_id}");
            Err(ApiError::new(AbiErrorCode::FunctionNotAvailable, text))
        });
    }
}

pub(crate) unsafe extern "C" fn create_guest_instance(
    host: *const HostApi,
    handle: GuestContractHandle,
    _args: *const (),
    out_instance: *mut GuestContractInstance,
    out_err: *mut AbiError,
) {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, out_err, (), |context, runtime| {
            if out_instance.is_null() {
                return Err(ApiError::null("the room for the instance"));
            }
            check_handle(context, runtime, handle)?;
            let _deeper = DepthGuard::enter()?;
            out_instance.write(runtime.create_token(handle)?);
            Ok(())
        });
    }
}

pub(crate) unsafe extern "C" fn destroy_guest_instance(host: *const HostApi, instance: GuestContractInstance) {
    // SAFETY: the table-call contract.
    unsafe {
        with_runtime(host, std::ptr::null_mut(), (), |context, runtime| {
            if let Some(lease) = runtime.token(instance) {
                check_provider(context, runtime, lease.versioned().provider())?;
                runtime.destroy_token(instance);
            }
            Ok(())
        });
    }
}
