//! The instances of a plugin, from the factory to the destructor.
//!
//! An instance's `data` points at the plugin's object and its host's table. A type without size has no object in
//! memory, so `data` is the table itself.

use std::fmt::Display;
use std::ptr::NonNull;

use polyplug_abi::{AbiError, AbiErrorCode, GuestContractId, GuestContractInstance, HostApi};

use crate::guest::context::PluginContext;
use crate::guest::error::write_error;
use crate::guest::panic::{catch, describe_panic};

/// A plugin's object with its host's table, as it is allocated.
pub(super) struct Boxed<T> {
    pub(super) host: *const HostApi,
    pub(super) value: T,
}

/// The parts of an instance that an entry needs.
pub(super) struct Parts<'a, T> {
    pub(super) value: &'a T,
    pub(super) host: *const HostApi,
}

/// Returns the object behind `instance`, or `None` if the instance is null.
///
/// # Safety
///
/// `instance` must be null or made by [`create`] for `T`, and not yet destroyed.
#[inline(always)]
pub(super) unsafe fn parts<'a, T>(instance: GuestContractInstance) -> Option<Parts<'a, T>> {
    if size_of::<T>() == 0 {
        // SAFETY: a type without size needs no memory, and `into_raw` has forgotten a value of it.
        let value = unsafe { NonNull::<T>::dangling().as_ref() };
        return Some(Parts { value, host: instance.data.cast() });
    }
    // SAFETY: null or made by `create` (the caller's promise).
    let boxed = unsafe { instance.data.cast::<Boxed<T>>().as_ref() }?;
    Some(Parts { value: &boxed.value, host: boxed.host })
}

/// Makes an instance with the plugin's factory, or writes the reason for which that failed.
///
/// # Safety
///
/// `host` must be valid for as long as the instance; `out_instance` and `out_err` must be writable or null.
pub unsafe fn create<T, E: Display>(
    contract_id: GuestContractId,
    host: *const HostApi,
    out_instance: *mut GuestContractInstance,
    out_err: *mut AbiError,
    factory: impl FnOnce(&PluginContext) -> Result<T, E>,
) {
    if host.is_null() || out_instance.is_null() {
        // SAFETY: `out_err` is writable or null (the caller's promise); a null host has no buffer and needs none.
        unsafe { write_error(out_err, host, std::ptr::null_mut(), AbiErrorCode::InvalidPointer, "") };
        return;
    }
    // The error becomes text inside `catch`: its `Display` and its `Drop` are the plugin's code and may panic as well.
    let made = catch(|| {
        // SAFETY: not null (checked above) and valid (the caller's promise).
        let context = unsafe { PluginContext::borrow(host) };
        factory(&context).map(|value| into_raw(value, host)).map_err(|error| error.to_string())
    });
    match made {
        // SAFETY: not null (checked above) and writable (the caller's promise).
        Ok(Ok(data)) => unsafe { out_instance.write(GuestContractInstance { data, contract_id }) },
        Ok(Err(text)) => {
            // SAFETY: `out_err` is writable or null, and `host` is valid (the caller's promise).
            unsafe { write_error(out_err, host, std::ptr::null_mut(), AbiErrorCode::FactoryFailed, &text) };
        }
        Err(payload) => {
            let text = describe_panic(payload);
            // SAFETY: `out_err` is writable or null, and `host` is valid (the caller's promise).
            unsafe { write_error(out_err, host, std::ptr::null_mut(), AbiErrorCode::Panic, &text) };
        }
    }
}

/// Makes the `data` of an instance, which [`destroy_instance`] frees. The host must be valid for as long as the object.
pub(crate) fn into_raw<T>(value: T, host: *const HostApi) -> *mut std::ffi::c_void {
    if size_of::<T>() == 0 {
        std::mem::forget(value); // dropped by `destroy_instance`
        return host.cast_mut().cast();
    }
    Box::into_raw(Box::new(Boxed { host, value })).cast()
}

/// Makes an instance for a host that takes no error, or writes a null instance.
///
/// # Safety
///
/// `host` must be valid for as long as the instance; `out_instance` must be writable or null.
pub unsafe fn create_instance<T, E: Display>(
    contract_id: GuestContractId,
    host: *const HostApi,
    out_instance: *mut GuestContractInstance,
    factory: impl FnOnce(&PluginContext) -> Result<T, E>,
) {
    let mut error = AbiError::ok();
    // SAFETY: the caller promises what `create` demands; the error is a local.
    unsafe { create(contract_id, host, out_instance, &raw mut error, factory) };
    if !error.is_ok() && !out_instance.is_null() {
        // SAFETY: not null, and writable by the caller's promise.
        unsafe { out_instance.write(GuestContractInstance::null()) };
    }
}

/// Drops an instance.
///
/// # Safety
///
/// `instance` must be null or made by [`create`] for `T`, and not be used again.
pub unsafe extern "C" fn destroy_instance<T>(
    _: polyplug_abi::VmLoaderData,
    _: *const HostApi,
    instance: GuestContractInstance,
) {
    if instance.is_null() {
        return;
    }
    let dropped = catch(|| {
        // SAFETY: made by `create` for `T` and not used again (the caller's promise). For a type without size this
        // drops the value that `into_raw` forgot, otherwise the box.
        unsafe {
            if size_of::<T>() == 0 {
                NonNull::<T>::dangling().drop_in_place();
            } else {
                drop(Box::from_raw(instance.data.cast::<Boxed<T>>()));
            }
        }
    });
    if let Err(payload) = dropped {
        // The panic hook has written to the host's log; a destructor cannot return an error.
        describe_panic(payload);
    }
}

/// A plugin type that can be made without a factory.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "polyplug cannot make an instance of `{Self}`",
    label = "`{Self}` does not implement `Default`",
    note = "implement `Default`, or name a factory: `#[polyplug::plugin(create = {Self}::new)]` with `fn new(context: &PluginContext) -> Result<{Self}, impl Display>`"
)]
pub trait DefaultPlugin: Sized {
    fn make() -> Self;
}

impl<T: Default> DefaultPlugin for T {
    fn make() -> Self {
        T::default()
    }
}

/// Makes the object of a plugin that does not name a factory.
///
/// # Errors
///
/// Never fails.
pub fn make_default<T: DefaultPlugin>(_: &PluginContext) -> Result<T, std::convert::Infallible> {
    Ok(T::make())
}
