//! Reloads, seen from the plugin: state that is carried over, and checks of health.

use std::fmt::Display;

use polyplug_abi::plugin::{RestoreInstance, SaveInstance};
use polyplug_abi::{AbiError, AbiErrorCode, CallArena, GuestContractInstance, HostApi, StringView, Version};

use crate::contract::Contract;
use crate::guest::context::PluginContext;
use crate::guest::error::write_error;
use crate::guest::instance::{create, parts};
use crate::guest::panic::{catch, describe_panic};

/// A plugin whose instances carry their state over a reload: `#[polyplug::plugin(migrate)]`.
///
/// At a reload the host calls [`save`](Self::save) of the old code for each instance, and passes the bytes to
/// [`restore`](Self::restore) of the new code. Old and new code may be different versions of the plugin, so the format
/// of the bytes is a contract of its own. [`state::save`](crate::state::save) and [`state::restore`](crate::state::restore)
/// have one that older and newer versions of a type read; with another one, write its version into the bytes, or decide by
/// `from`. A call that runs between `save` and `restore` changes the old instance only, so its changes are lost.
///
/// ```
/// use polyplug::{Migrate, Version, state};
///
/// # #[polyplug::contract(name = "demo.counter", version = "1.0")]
/// # pub trait Counter { fn next(&self) -> u64; }
/// # use std::sync::atomic::{AtomicU64, Ordering};
/// #[derive(Default)]
/// struct Counting(AtomicU64);
///
/// #[polyplug::plugin(migrate)]
/// impl Counter for Counting {
///     fn next(&self) -> u64 {
///         self.0.fetch_add(1, Ordering::Relaxed)
///     }
/// }
///
/// impl Migrate for Counting {
///     fn save(&self) -> Vec<u8> {
///         state::save(&self.0.load(Ordering::Relaxed))
///     }
///
///     fn restore(saved: &[u8], _from: Version) -> Result<Self, impl std::fmt::Display> {
///         state::restore(saved).map(|count| Self(AtomicU64::new(count)))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry its state over a reload",
    label = "`{Self}` does not implement `polyplug::Migrate`",
    note = "implement `polyplug::Migrate`, or leave `migrate` out: instances are then made afresh at a reload"
)]
pub trait Migrate: Sized {
    /// Returns the state as bytes.
    fn save(&self) -> Vec<u8>;

    /// Makes an instance with the state that `save` of the plugin's version `from` returned.
    ///
    /// # Errors
    ///
    /// Fails if the state cannot be used, with a text that is shown to the operator. The reload then fails, and the old
    /// version continues to serve.
    fn restore(state: &[u8], from: Version) -> Result<Self, impl Display>;
}

/// The functions that carry the state of a plugin's instances over a reload.
pub struct Migration {
    pub(super) save: SaveInstance,
    pub(super) restore: RestoreInstance,
}

impl Migration {
    /// Returns the functions of `T`, which implements `C`.
    #[must_use]
    pub const fn new<T: Migrate, C: Contract + ?Sized>() -> Self {
        Self { save: save::<T>, restore: restore::<T, C> }
    }
}

/// Saves an instance's state in `arena`.
///
/// # Safety
///
/// `instance` must be null or made for `T`; `out` and `out_err` must be writable or null, `arena` valid or null.
unsafe extern "C" fn save<T: Migrate>(
    instance: GuestContractInstance,
    out: *mut StringView,
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: `instance` is null or made for `T` (the caller's promise).
    let parts = unsafe { parts::<T>(instance) };
    let host = parts.as_ref().map_or(std::ptr::null(), |parts| parts.host);
    let fail = |code, text: &str| {
        // SAFETY: `out_err` and `arena` are as `write_error` demands (the caller's promise); the host of an instance is
        // valid.
        unsafe { write_error(out_err, host, arena, code, text) };
    };
    let Some(parts) = parts.filter(|_| !out.is_null() && !arena.is_null()) else {
        return fail(AbiErrorCode::InvalidPointer, "save: the instance, the result or the arena is null");
    };
    match catch(|| parts.value.save()) {
        Ok(state) => {
            // SAFETY: not null (checked above), and valid by the caller's promise.
            let buffer = unsafe { (*arena).alloc(state.len().max(1), 1) };
            if buffer.is_null() {
                return fail(AbiErrorCode::BufferTooSmall, "the state is too large for the host");
            }
            // SAFETY: `buffer` has the state's length; `out` is not null, and writable by the caller's promise.
            unsafe {
                buffer.copy_from_nonoverlapping(state.as_ptr(), state.len());
                out.write(StringView { ptr: buffer, len: state.len() });
            }
        }
        Err(payload) => fail(AbiErrorCode::Panic, &describe_panic(payload)),
    }
}

/// Makes an instance from the state of another.
///
/// # Safety
///
/// `host` must be valid for as long as the instance; `out_instance` and `out_err` must be writable or null; `state`
/// must be readable.
unsafe extern "C" fn restore<T: Migrate, C: Contract + ?Sized>(
    host: *const HostApi,
    state: StringView,
    from: Version,
    out_instance: *mut GuestContractInstance,
    out_err: *mut AbiError,
) {
    // SAFETY: the caller promises what `create` demands, and that `state` is readable.
    unsafe {
        create(C::ID, host, out_instance, out_err, |_| match state.bytes() {
            Some(state) => T::restore(state, from).map_err(|error| error.to_string()),
            None => Err("the state is null".to_owned()),
        });
    }
}

/// Asks a plugin whether it is fit to serve.
///
/// # Safety
///
/// `host` and `arena` must be valid or null, `out_err` writable or null.
pub unsafe fn check_health<E: Display>(
    host: *const HostApi,
    arena: *mut CallArena,
    out_err: *mut AbiError,
    health: impl FnOnce(&PluginContext) -> Result<(), E>,
) {
    let fail = |code, text: &str| {
        // SAFETY: `out_err`, `host` and `arena` are as `write_error` demands (the caller's promise).
        unsafe { write_error(out_err, host, arena, code, text) };
    };
    if host.is_null() {
        return fail(AbiErrorCode::InvalidPointer, "health: the host is null");
    }
    let checked = catch(|| {
        // SAFETY: not null (checked above), and valid by the caller's promise.
        let context = unsafe { PluginContext::borrow(host) };
        health(&context).map_err(|error| error.to_string())
    });
    match checked {
        Ok(Ok(())) => {}
        Ok(Err(text)) => fail(AbiErrorCode::Generic, &text),
        Err(payload) => fail(AbiErrorCode::Panic, &describe_panic(payload)),
    }
}
