//! What every dispatch entry of a plugin does around its method.

use polyplug_abi::{AbiError, AbiErrorCode, CallArena, GuestContractInstance, HostApi};

use crate::CallError;
use crate::guest::error::write_error;
use crate::guest::instance;
use crate::guest::panic::{Payload, catch, describe_panic};
use crate::types::{Give, LiftError, LowerError, Type};

/// Why an entry has no result.
enum Fault {
    NoInstance,
    NoArguments,
    NoRoom,
    Argument(LiftError),
    Result(LowerError),
}

/// Carries out one call: finds the object, hands it and the arguments to `body`, lowers what it returns.
///
/// # Safety
///
/// As for any [`Entry`](polyplug_abi::Entry): the pointers are null or what the entry's type says, `instance` was made
/// by this plugin for `T`, and `A` and `R` are the forms of arguments and result.
#[inline(always)]
pub unsafe fn serve<T, A, R: Type>(
    instance: GuestContractInstance,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
    body: impl FnOnce(&T, &A, *const HostApi) -> Result<R, LiftError>,
) {
    // Failures are reported from within, so that nothing but a panic's payload has to come out: success leaves no trace
    // on the stack.
    let outcome = catch(move || {
        // SAFETY: the caller's promise.
        if let Err(fault) = unsafe { run::<T, A, R>(instance, args, out, arena, body) } {
            // SAFETY: the caller's promise.
            unsafe { report::<T>(instance, arena, out_err, fault) };
        }
    });
    if let Err(payload) = outcome {
        // SAFETY: the caller's promise.
        unsafe { report_panic::<T>(instance, arena, out_err, payload) };
    }
}

#[inline(always)]
unsafe fn run<T, A, R: Type>(
    instance: GuestContractInstance,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    body: impl FnOnce(&T, &A, *const HostApi) -> Result<R, LiftError>,
) -> Result<(), Fault> {
    // SAFETY: the caller's promise.
    let Some(parts) = (unsafe { instance::parts::<T>(instance) }) else { return Err(Fault::NoInstance) };
    // No arguments come as null; any other pointer serves for a type without size.
    let args =
        if size_of::<A>() == 0 { std::ptr::NonNull::<A>::dangling().as_ptr() } else { args.cast::<A>().cast_mut() };
    if args.is_null() {
        return Err(Fault::NoArguments);
    }
    if size_of::<R::Canon>() != 0 && out.is_null() {
        return Err(Fault::NoRoom);
    }
    // SAFETY: not null (checked above) and of the right form (the caller's promise).
    let result = body(parts.value, unsafe { &*args }, parts.host).map_err(Fault::Argument)?;
    // SAFETY: null or the caller's arena, which nothing else uses while the call runs.
    let mut to = unsafe { Give::new(arena) };
    let canon = result.lower(&mut to);
    to.finish().map_err(Fault::Result)?;
    if size_of::<R::Canon>() != 0 {
        // SAFETY: not null (checked above), and room for the form (the caller's promise).
        unsafe { out.cast::<R::Canon>().write(canon) };
    }
    Ok(())
}

// Both reports are `extern "C"`, which cannot unwind: an entry whose method cannot panic then needs no landing pad, and
// keeps its whole frame for the failure. Arguments and code fit into registers.

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
    // SAFETY: the caller's promise.
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
    // A call of an object that was lent may have failed: that is no panic, and what the caller is told instead.
    let (code, text) = match payload.downcast::<CallError>() {
        Ok(error) => (error.code(), error.to_string()),
        Err(payload) => (AbiErrorCode::Panic, describe_panic(payload)),
    };
    // SAFETY: the caller's promise.
    unsafe { write_error(out_err, host_of::<T>(instance), arena, code, &text) };
}

/// The host's table, which outlives the instance; null without one.
unsafe fn host_of<T>(instance: GuestContractInstance) -> *const HostApi {
    // SAFETY: the caller's promise.
    unsafe { instance::parts::<T>(instance) }.map_or(std::ptr::null(), |parts| parts.host)
}
