//! What a plugin may do about reloads: carry its state over, and say whether it is fit to serve.

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
/// At a reload the host calls [`save`](Self::save) of the old code for each instance, and [`restore`](Self::restore) of
/// the new code with what that returned. The two may be of different versions of the plugin, so the format of the
/// snapshot is a contract of its own: write down which version it is of, or go by `from`. Calls that run between the
/// two change the old instance only: what they changed is lost.
///
/// ```
/// use polyplug::{Migrate, Version};
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
///         self.0.load(Ordering::Relaxed).to_le_bytes().to_vec()
///     }
///
///     fn restore(state: &[u8], _from: Version) -> Result<Self, impl std::fmt::Display> {
///         state.try_into().map(|bytes| Self(AtomicU64::new(u64::from_le_bytes(bytes))))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry its state over a reload",
    label = "`{Self}` does not implement `polyplug::Migrate`",
    note = "implement `polyplug::Migrate`, or leave `migrate` out: instances are then made afresh at a reload"
)]
pub trait Migrate: Sized {
    /// The state as bytes.
    fn save(&self) -> Vec<u8>;

    /// An instance with the state that `save` of the plugin's version `from` returned.
    ///
    /// # Errors
    ///
    /// The state is no good, in words that are shown to the operator. The reload then fails, and the old version serves
    /// on.
    fn restore(state: &[u8], from: Version) -> Result<Self, impl Display>;
}

/// How a plugin carries the state of its instances over a reload.
pub struct Migration {
    pub(super) save: SaveInstance,
    pub(super) restore: RestoreInstance,
}

impl Migration {
    /// That of `T`, which implements `C`.
    #[must_use]
    pub const fn new<T: Migrate, C: Contract + ?Sized>() -> Self {
        Self { save: save::<T>, restore: restore::<T, C> }
    }
}

/// Puts an instance's state into `arena`.
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
    // SAFETY: the caller's promise.
    let parts = unsafe { parts::<T>(instance) };
    let host = parts.as_ref().map_or(std::ptr::null(), |parts| parts.host);
    let fail = |code, text: &str| {
        // SAFETY: the caller's promise; the host of an instance is valid.
        unsafe { write_error(out_err, host, arena, code, text) };
    };
    let Some(parts) = parts.filter(|_| !out.is_null() && !arena.is_null()) else {
        return fail(AbiErrorCode::InvalidPointer, "save: the instance, the result or the arena is null");
    };
    match catch(|| parts.value.save()) {
        Ok(state) => {
            // SAFETY: not null (checked above), and valid by the caller's promise.
            let place = unsafe { (*arena).alloc(state.len().max(1), 1) };
            if place.is_null() {
                return fail(AbiErrorCode::BufferTooSmall, "the state is too large for the host");
            }
            // SAFETY: `place` has room for the state; `out` is not null, and writable by the caller's promise.
            unsafe {
                place.copy_from_nonoverlapping(state.as_ptr(), state.len());
                out.write(StringView { ptr: place, len: state.len() });
            }
        }
        Err(payload) => fail(AbiErrorCode::Panic, &describe_panic(payload)),
    }
}

/// Makes an instance from the state of another.
///
/// # Safety
///
/// As for [`create`]; `state` must be readable.
unsafe extern "C" fn restore<T: Migrate, C: Contract + ?Sized>(
    host: *const HostApi,
    state: StringView,
    from: Version,
    out_instance: *mut GuestContractInstance,
    out_err: *mut AbiError,
) {
    // SAFETY: the caller's promise.
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
        // SAFETY: the caller's promise.
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
