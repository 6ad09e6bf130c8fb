//! The body of every dispatch entry of a plugin, which surrounds the call of the method.

use polyplug_abi::{AbiError, AbiErrorCode, CallArena, GuestContractInstance, HostApi};

use crate::CallError;
use crate::guest::error::write_error;
use crate::guest::instance;
use crate::guest::panic::{Payload, catch, describe_panic};
use crate::types::{Crosses, Give, LiftError, LowerError};

/// The reason for which an entry has no result.
enum Fault {
    NoInstance,
    NoArguments,
    NoRoom,
    Argument(LiftError),
    Result(LowerError),
}

/// Carries out one call: finds the object, passes the object and the arguments to `body`, and lowers the result.
///
/// # Safety
///
/// The contract of [`Entry`](polyplug_abi::Entry): each pointer must be null or what the entry's type says, `instance`
/// must have been made by this plugin for `T`, and `A` and `R` must be the lowered arguments and the result's type.
#[inline(always)]
pub unsafe fn serve<T, A, R: Crosses<CROSSES>, const CROSSES: bool>(
    instance: GuestContractInstance,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
    body: impl FnOnce(&T, &A, *const HostApi) -> Result<R, LiftError>,
) {
    // Failures are reported inside the closure, so that it returns nothing but a panic's payload: a call that succeeds
    // then uses no stack for an error.
    let outcome = catch(move || {
        // SAFETY: the caller follows the contract of `Entry`.
        if let Err(fault) = unsafe { run::<T, A, R, CROSSES>(instance, args, out, arena, body) } {
            // SAFETY: the caller follows the contract of `Entry`.
            unsafe { report::<T>(instance, arena, out_err, fault) };
        }
    });
    if let Err(payload) = outcome {
        // SAFETY: the caller follows the contract of `Entry`.
        unsafe { report_panic::<T>(instance, arena, out_err, payload) };
    }
}

#[inline(always)]
unsafe fn run<T, A, R: Crosses<CROSSES>, const CROSSES: bool>(
    instance: GuestContractInstance,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    body: impl FnOnce(&T, &A, *const HostApi) -> Result<R, LiftError>,
) -> Result<(), Fault> {
    // SAFETY: `instance` was made by this plugin for `T` (promised to `serve`).
    let Some(parts) = (unsafe { instance::parts::<T>(instance) }) else { return Err(Fault::NoInstance) };
    // Without arguments the pointer may be null; a reference to a type without size needs any other pointer.
    let args =
        if size_of::<A>() == 0 { std::ptr::NonNull::<A>::dangling().as_ptr() } else { args.cast::<A>().cast_mut() };
    if args.is_null() {
        return Err(Fault::NoArguments);
    }
    if size_of::<R::Canon>() != 0 && out.is_null() {
        return Err(Fault::NoRoom);
    }
    // SAFETY: not null (checked above), and the arguments have the layout of `A` (promised to `serve`).
    let result = body(parts.value, unsafe { &*args }, parts.host).map_err(Fault::Argument)?;
    // SAFETY: null or the caller's arena, which nothing else uses while the call runs (the contract of `Entry`).
    let mut to = unsafe { Give::new(arena) };
    let canon = result.lower(&mut to);
    to.finish().map_err(Fault::Result)?;
    if size_of::<R::Canon>() != 0 {
        // SAFETY: not null (checked above), and large enough for the result (the contract of `Entry`).
        unsafe { out.cast::<R::Canon>().write(canon) };
    }
    Ok(())
}

// Both reports are `extern "C"`, which cannot unwind: an entry whose method cannot panic then needs no landing pad.
// Their arguments fit into registers.

#[cold]
#[inline(never)]
#[allow(improper_ctypes_definitions)] // called from Rust only
unsafe extern "C" fn report<T>(
    instance: GuestContractInstance,
    arena: *mut CallArena,
    out_err: *mut AbiError,
    fault: Fault,
) {
    let (code, text) = match fault {
        Fault::NoInstance => (AbiErrorCode::InvalidPointer, "the instance is null".to_owned()),
        Fault::NoArguments => (AbiErrorCode::InvalidPointer, "the arguments are null".to_owned()),
        Fault::NoRoom => (AbiErrorCode::InvalidPointer, "the room for the result is null".to_owned()),
        Fault::Argument(error) => (AbiErrorCode::InvalidArgument, error.to_string()),
        Fault::Result(LowerError::NoRoom) => (AbiErrorCode::BufferTooSmall, format!("result: {}", LowerError::NoRoom)),
        Fault::Result(LowerError::TooDeep) => (AbiErrorCode::TooDeep, format!("result: {}", LowerError::TooDeep)),
    };
    // SAFETY: `out_err` is writable or null and `arena` valid or null (the contract of `Entry`); the host's table
    // outlives the instance.
    unsafe { write_error(out_err, host_of::<T>(instance), arena, code, &text) };
}

#[cold]
#[inline(never)]
#[allow(improper_ctypes_definitions)] // called from Rust only
unsafe extern "C" fn report_panic<T>(
    instance: GuestContractInstance,
    arena: *mut CallArena,
    out_err: *mut AbiError,
    payload: Payload,
) {
    // `unwind` carries the error of a call of a lent object. The caller receives that error instead of a panic.
    let (code, text) = match payload.downcast::<CallError>() {
        Ok(error) => (error.code(), error.to_string()),
        Err(payload) => (AbiErrorCode::Panic, describe_panic(payload)),
    };
    // SAFETY: `out_err` is writable or null and `arena` valid or null (the contract of `Entry`); the host's table
    // outlives the instance.
    unsafe { write_error(out_err, host_of::<T>(instance), arena, code, &text) };
}

/// Returns the host's table, which outlives the instance; null for a null instance.
unsafe fn host_of<T>(instance: GuestContractInstance) -> *const HostApi {
    // SAFETY: `instance` was made by this plugin for `T` (promised to `serve`).
    unsafe { instance::parts::<T>(instance) }.map_or(std::ptr::null(), |parts| parts.host)
}
