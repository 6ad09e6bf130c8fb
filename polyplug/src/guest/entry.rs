//! What every dispatch entry of a plugin does around its method.

use polyplug_abi::{AbiError, AbiErrorCode, CallArena, GuestContractInstance, HostApi};

use super::instance::{self, write_error};
use super::panic::Payload;
use super::{catch, describe_panic};
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
    body: impl FnOnce(&T, &A) -> Result<R, LiftError>,
) {
    let outcome = catch(|| {
        // SAFETY: the caller's promise.
        let Some(parts) = (unsafe { instance::parts::<T>(instance) }) else { return Err(Fault::NoInstance) };
        // No arguments come as null; any other pointer serves for a type without size.
        let args = if size_of::<A>() == 0 { std::ptr::NonNull::<A>::dangling().as_ptr() } else { args.cast::<A>() };
        if args.is_null() {
            return Err(Fault::NoArguments);
        }
        if size_of::<R::Canon>() != 0 && out.is_null() {
            return Err(Fault::NoRoom);
        }
        // SAFETY: not null (checked above) and of the right form (the caller's promise).
        let result = body(parts.value, unsafe { &*args }).map_err(Fault::Argument)?;
        // SAFETY: null or the caller's arena, which nothing else uses while the call runs.
        let mut to = unsafe { Give::new(arena) };
        let canon = result.lower(&mut to);
        to.finish().map_err(Fault::Result)?;
        if size_of::<R::Canon>() != 0 {
            // SAFETY: not null (checked above), and room for the form (the caller's promise).
            unsafe { out.cast::<R::Canon>().write(canon) };
        }
        Ok(())
    });
    if !matches!(outcome, Ok(Ok(()))) {
        // SAFETY: the caller's promise.
        unsafe { report::<T>(instance, arena, out_err, outcome) };
    }
}

#[cold]
#[inline(never)]
unsafe fn report<T>(
    instance: GuestContractInstance,
    arena: *mut CallArena,
    out_err: *mut AbiError,
    outcome: Result<Result<(), Fault>, Payload>,
) {
    let (code, text) = match outcome {
        Ok(Ok(())) => return,
        Ok(Err(Fault::NoInstance)) => (AbiErrorCode::InvalidPointer, "the instance is null".to_owned()),
        Ok(Err(Fault::NoArguments)) => (AbiErrorCode::InvalidPointer, "the arguments are null".to_owned()),
        Ok(Err(Fault::NoRoom)) => (AbiErrorCode::InvalidPointer, "the room for the result is null".to_owned()),
        Ok(Err(Fault::Argument(error))) => (AbiErrorCode::InvalidArgument, error.to_string()),
        Ok(Err(Fault::Result(error))) => {
            let code = match error {
                LowerError::NoRoom => AbiErrorCode::BufferTooSmall,
                LowerError::TooDeep => AbiErrorCode::TooDeep,
            };
            (code, format!("result: {error}"))
        }
        Err(payload) => (AbiErrorCode::Panic, describe_panic(payload)),
    };
    // SAFETY: the caller's promise.
    let host = unsafe { instance::parts::<T>(instance) }.map_or(std::ptr::null::<HostApi>(), |parts| parts.host);
    // SAFETY: the caller's promise; the host's table outlives the instance.
    unsafe { write_error(out_err, host, arena, code, &text) };
}
