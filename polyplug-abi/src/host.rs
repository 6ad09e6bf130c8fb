//! The host's side: the function table that every plugin receives, and contracts that the host implements.

use core::ffi::c_void;
use core::fmt;

use crate::arena::CallArena;
use crate::dispatch::{DispatchMechanisms, DispatchType};
use crate::error::AbiError;
use crate::guest::{GuestContractHandle, GuestContractInstance, GuestContractInterface};
use crate::ids::{BundleId, HostContractId};
use crate::plugin::{PluginDescriptor, PluginRegistration};
use crate::proxy::{ObjectOffer, ProxyRequest};
use crate::types::{Array, DependencyInfo, StringView, Version};

/// The severity of a log message; smaller is more severe.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogLevel(pub u32);

#[allow(non_upper_case_globals)] // the constants are used like the variants of an enum
impl LogLevel {
    /// A failure.
    pub const Error: Self = Self(1);
    /// A problem that does not stop the work.
    pub const Warn: Self = Self(2);
    /// Information for operators.
    pub const Info: Self = Self(3);
    /// Information for developers.
    pub const Debug: Self = Self(4);
    /// Detailed information for developers.
    pub const Trace: Self = Self(5);
}

impl fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::Error => "Error",
            Self::Warn => "Warn",
            Self::Info => "Info",
            Self::Debug => "Debug",
            Self::Trace => "Trace",
            Self(other) => return write!(f, "LogLevel({other})"),
        })
    }
}

/// An object of a host contract.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostContractInstance {
    /// The host's pointer.
    pub data: *mut c_void,
}

impl HostContractInstance {
    /// Returns the null object.
    #[must_use]
    pub const fn null() -> Self {
        Self { data: core::ptr::null_mut() }
    }

    /// Returns whether this is the null object.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.data.is_null()
    }
}

// SAFETY: an opaque pointer; host contracts accept calls from any thread (the ABI).
unsafe impl Send for HostContractInstance {}
// SAFETY: host contracts accept calls from several threads at a time (the ABI).
unsafe impl Sync for HostContractInstance {}

/// The table through which a host contract is called. The table stays at its address until the runtime ends.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HostContractInterface {
    /// The contract.
    pub contract_id: HostContractId,
    /// The contract's version.
    pub contract_version: Version,
    /// 1 if one object serves all plugins, 0 if each look-up makes an object.
    pub singleton: u8,
    /// The member of `dispatch` that is valid.
    pub dispatch_type: DispatchType,
    /// The provider's data.
    pub user_data: *mut c_void,
    /// The function that makes an object.
    pub create_instance: unsafe extern "C" fn(
        table: *const HostContractInterface,
        args: *const (),
        out_instance: *mut HostContractInstance,
    ),
    /// The function that destroys an object.
    pub destroy_instance: unsafe extern "C" fn(table: *const HostContractInterface, instance: HostContractInstance),
    /// The dispatch of the methods.
    pub dispatch: DispatchMechanisms,
}

const _: () = assert!(size_of::<HostContractInterface>() == 72);

// SAFETY: function pointers, numbers and the provider's data, which must be usable from any thread (the ABI).
unsafe impl Send for HostContractInterface {}
// SAFETY: the provider's data must be usable from several threads at a time (the ABI).
unsafe impl Sync for HostContractInterface {}

/// The functions that a host offers to a plugin, to a loader, or to a host written in another language.
///
/// Each function takes the table itself as its first argument. Each loaded version of a bundle has a table of its
/// own, by which the host knows the caller. The table is valid for as long as that version's code may run.
///
/// Calls are safe against a concurrent reload or unload. A null pointer that must not be null is reported as
/// [`InvalidPointer`](crate::AbiErrorCode::InvalidPointer), and recorded as the last error.
///
/// New fields are added at the end only; `struct_size` says which fields exist.
#[repr(C)]
pub struct HostApi {
    /// The host's own data.
    pub runtime: *mut c_void,
    /// Registers a plugin without a schema, which is written by hand.
    pub register_guest_contract: unsafe extern "C" fn(
        *const HostApi,
        descriptor: *const PluginDescriptor,
        interface: *const GuestContractInterface,
        out_err: *mut AbiError,
    ),
    /// Allocates memory from the host. Returns null on failure.
    pub alloc: unsafe extern "C" fn(*const HostApi, size: usize, align: usize) -> *mut u8,
    /// Frees memory that `alloc` returned, with the same size and alignment.
    pub free: unsafe extern "C" fn(*const HostApi, ptr: *mut u8, size: usize, align: usize),
    /// Returns the first provider of a contract, in load order, whose minor version is at least `min_version`.
    pub find_guest_contract:
        unsafe extern "C" fn(*const HostApi, contract_id: u64, min_version: u32) -> GuestContractHandle,
    /// Returns all providers of a contract, in load order.
    pub find_all_guest_contracts:
        unsafe extern "C" fn(*const HostApi, contract_id: u64, min_version: u32) -> Array<GuestContractHandle>,
    /// Returns a provider's table, or null if the handle is stale, or if the calling bundle's manifest does not declare
    /// the contract. The table is valid while it is leased.
    pub resolve_guest_contract:
        unsafe extern "C" fn(*const HostApi, handle: GuestContractHandle) -> *const GuestContractInterface,
    /// Returns an object of a host contract.
    pub get_host_contract:
        unsafe extern "C" fn(*const HostApi, contract_id: u64, min_version: u32) -> HostContractInstance,
    /// Returns the table of a host contract.
    pub resolve_host_contract_interface:
        unsafe extern "C" fn(*const HostApi, contract_id: u64, min_version: u32) -> *const HostContractInterface,
    /// Returns the ids of all loaded bundles, in load order.
    pub list_bundles: unsafe extern "C" fn(*const HostApi) -> Array<BundleId>,
    /// Returns the dependencies that the calling bundle's manifest declares.
    pub get_dependencies: unsafe extern "C" fn(*const HostApi) -> Array<DependencyInfo>,
    /// Loads a bundle from a path in UTF-8. Through a bundle's table, this function and the others that change bundles
    /// only enqueue the change: the runtime makes the change later, on its own thread, and records a failure as its
    /// last error.
    pub load_bundle: unsafe extern "C" fn(*const HostApi, path: *const u8, len: usize, out_err: *mut AbiError),
    /// Reloads a bundle from a path in UTF-8.
    pub reload_bundle: unsafe extern "C" fn(*const HostApi, path: *const u8, len: usize, out_err: *mut AbiError),
    /// Provides a host contract; the table must stay valid until the runtime ends.
    pub register_host_contract:
        unsafe extern "C" fn(*const HostApi, interface: *const HostContractInterface, out_err: *mut AbiError),
    /// Adds a loader: a `Box<Box<dyn BundleLoader>>` as a raw pointer, which the runtime then owns.
    pub register_loader: unsafe extern "C" fn(*const HostApi, loader: *mut c_void, out_err: *mut AbiError),
    /// Copies the runtime's last error into `buf` and clears it. Returns the number of bytes copied.
    pub get_last_error: unsafe extern "C" fn(*const HostApi, buf: *mut u8, len: usize) -> usize,
    /// Returns the length of the runtime's last error in bytes; 0 without an error.
    pub get_error_len: unsafe extern "C" fn(*const HostApi) -> usize,
    /// The value of `size_of::<HostApi>()` in the host's build.
    pub struct_size: usize,
    /// Calls a method of an instance made by `create_guest_instance`.
    pub call_guest_method: unsafe extern "C" fn(
        *const HostApi,
        instance: GuestContractInstance,
        fn_id: u32,
        args: *const (),
        out: *mut (),
        arena: *mut CallArena,
        out_err: *mut AbiError,
    ),
    /// Makes an instance. Its `data` is a token that only this host can interpret.
    pub create_guest_instance: unsafe extern "C" fn(
        *const HostApi,
        handle: GuestContractHandle,
        args: *const (),
        out_instance: *mut GuestContractInstance,
        out_err: *mut AbiError,
    ),
    /// Destroys an instance made by `create_guest_instance`. Ignores a stale token.
    pub destroy_guest_instance: unsafe extern "C" fn(*const HostApi, instance: GuestContractInstance),
    /// Unloads a bundle.
    pub unload_bundle: unsafe extern "C" fn(*const HostApi, bundle_id: u64, out_err: *mut AbiError),
    /// Writes to the host's log. `level` is a [`LogLevel`].
    pub log: unsafe extern "C" fn(*const HostApi, level: u32, scope: StringView, message: StringView),
    /// Registers a plugin with all the data that `#[plugin]` has about it.
    pub register_plugin:
        unsafe extern "C" fn(*const HostApi, registration: *const PluginRegistration, out_err: *mut AbiError),
    /// Returns a buffer for the text of an error of a call without an arena. The buffer is valid until this thread's
    /// next call. Returns null if `len` exceeds the host's limit.
    pub error_text: unsafe extern "C" fn(*const HostApi, len: usize) -> *mut u8,
    /// Returns an arena for one call that this thread is about to make. Return arenas with `leave_arena` in reverse
    /// order.
    pub enter_arena: unsafe extern "C" fn(*const HostApi) -> *mut CallArena,
    /// Ends the use of an arena, and frees all data in the arena. Ignores any pointer but that of the innermost arena
    /// that this thread has from `enter_arena` through the same table.
    pub leave_arena: unsafe extern "C" fn(*const HostApi, arena: *mut CallArena),
    /// Keeps this table valid until `release_host`. The bundle may still be unloaded.
    pub retain_host: unsafe extern "C" fn(*const HostApi),
    /// Ends a `retain_host`. Ignored if there is none to end.
    pub release_host: unsafe extern "C" fn(*const HostApi),
    /// Takes a lease on a provider. Returns the provider's table, which stays valid with its code mapped until
    /// `release`, or null if the handle is stale.
    pub lease: unsafe extern "C" fn(
        *const HostApi,
        handle: GuestContractHandle,
        out_err: *mut AbiError,
    ) -> *const GuestContractInterface,
    /// Ends a lease of the calling bundle. Ignores a pointer that the bundle has not leased.
    pub release: unsafe extern "C" fn(*const HostApi, interface: *const GuestContractInterface),
    /// Runs `body(data)` on a new thread for the calling bundle, whose code stays mapped while the thread runs. `name`
    /// is for people. On failure `body` is not called, and the caller still owns `data`.
    pub spawn: unsafe extern "C" fn(
        *const HostApi,
        name: StringView,
        body: ThreadBody,
        data: *mut c_void,
        out_err: *mut AbiError,
    ),
    /// Waits at most for `millis` milliseconds until the calling bundle's version is retired by a reload or an unload.
    /// Returns 1 if the version is retired, otherwise 0. The bundle's threads must end once the version is retired.
    pub wait_retired: unsafe extern "C" fn(*const HostApi, millis: u64) -> u8,
    /// Prefers the provider in bundle `bundle_id` for a contract: look-ups that take the first provider then find it.
    pub prefer: unsafe extern "C" fn(*const HostApi, contract_id: u64, bundle_id: u64, out_err: *mut AbiError),
    /// Returns the provider of a contract in one bundle, or the null handle if the bundle does not provide the
    /// contract.
    pub find_guest_contract_in:
        unsafe extern "C" fn(*const HostApi, contract_id: u64, bundle_id: u64) -> GuestContractHandle,
    /// Unloads a bundle, after all bundles that need it, the last loaded first.
    pub unload_bundle_cascade: unsafe extern "C" fn(*const HostApi, bundle_id: u64, out_err: *mut AbiError),
    /// Waits at most for `millis` milliseconds until the code of retired versions is unmapped. Returns the number of
    /// versions whose code is still mapped. Through a bundle's table the function does not wait, because it may have
    /// been called by code that is to be unmapped.
    pub quiesce: unsafe extern "C" fn(*const HostApi, millis: u64) -> usize,
    /// Makes a proxy for the calling bundle: for a host contract, or for a contract that the bundle's manifest declares
    /// as a dependency. Writes a token that only this host can interpret, and that does not keep the callee loaded.
    /// Unless `out_bundle` is null, writes the name of the callee's bundle as well, which is valid until this thread's
    /// next call, and is `host` for a host contract.
    pub open_proxy: unsafe extern "C" fn(
        *const HostApi,
        request: *const ProxyRequest,
        out_proxy: *mut *mut c_void,
        out_bundle: *mut StringView,
        out_err: *mut AbiError,
    ),
    /// Calls a method through a proxy made by `open_proxy`.
    pub call_proxy: unsafe extern "C" fn(
        *const HostApi,
        proxy: *mut c_void,
        fn_id: u32,
        args: *const (),
        out: *mut (),
        arena: *mut CallArena,
        out_err: *mut AbiError,
    ),
    /// Closes a token of `open_proxy`, `offer_object` or `share_object`. Ignores a stale token.
    pub close_proxy: unsafe extern "C" fn(*const HostApi, proxy: *mut c_void),
    /// Offers an object to be called by others with `call_proxy`. Returns a token for the object, or null on failure.
    pub offer_object:
        unsafe extern "C" fn(*const HostApi, offer: *const ObjectOffer, out_err: *mut AbiError) -> *mut c_void,
    /// Returns another token for an object that may be kept, or null on failure. A callee that keeps an object it
    /// received as an argument needs a token of its own. Unless `out_bundle` is null, writes the name of the bundle that
    /// offered the object as well, which is valid until this thread's next call, and is empty for an object of the host.
    pub share_object: unsafe extern "C" fn(
        *const HostApi,
        proxy: *mut c_void,
        out_bundle: *mut StringView,
        out_err: *mut AbiError,
    ) -> *mut c_void,
    /// Returns the calling bundle's settings: a JSON object, `{}` without settings. The text is valid while the table
    /// is.
    pub config: unsafe extern "C" fn(*const HostApi) -> StringView,
    /// Returns the calling bundle's name; empty through the host's own table. The text is valid while the table is.
    pub bundle_name: unsafe extern "C" fn(*const HostApi) -> StringView,
    /// Registers a function of the calling bundle, which the host calls once, with `data`: after the last call of this
    /// version of the bundle has returned, before its shared instances end and its code is unmapped. That is also the
    /// case after a failed load. The function registered last is called first. All functions of a version together have
    /// a limited time, after which the host goes on without them.
    pub on_unload: unsafe extern "C" fn(
        *const HostApi,
        function: Option<UnloadFunction>,
        data: *mut c_void,
        out_err: *mut AbiError,
    ),
    /// Returns the most verbose level that the host's log takes at present, 0 if it takes none.
    pub log_level: unsafe extern "C" fn(*const HostApi) -> u32,
    /// Writes the name of the bundle that a token of `open_proxy`, `offer_object` or `share_object` calls, for the text
    /// of an error. The name is valid until this thread's next call, and is empty if the host is called. Returns 1, or 0
    /// if the token is closed or the runtime has ended.
    pub proxy_bundle: unsafe extern "C" fn(*const HostApi, proxy: *mut c_void, out_bundle: *mut StringView) -> u8,
    /// Writes to the host's log under the name of a bundle. The host may be null, as for `log`: for panics on threads of
    /// a library that outlive its tables.
    pub log_as:
        unsafe extern "C" fn(*const HostApi, bundle: StringView, level: u32, scope: StringView, message: StringView),
    /// Returns the calling bundle's own directory, as an absolute path: the directory that the host has loaded, and never
    /// a private copy of it. Empty through the host's own table, and for a bundle that has no directory. On Unix the
    /// bytes are those of the path; elsewhere they are UTF-8 where the path is Unicode. The text is valid while the table
    /// is.
    pub directory: unsafe extern "C" fn(*const HostApi) -> StringView,
    /// Returns the folder in which the calling bundle may keep its data, as an absolute path, and makes the folder if it
    /// does not exist. All versions of a bundle have the same folder. The text is like that of `directory`; empty after
    /// an error: the host gives bundles no such folder, or it cannot be made.
    pub data_directory: unsafe extern "C" fn(*const HostApi, out_err: *mut AbiError) -> StringView,
}

/// The function that a thread runs: see [`HostApi::spawn`].
pub type ThreadBody = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// The function that ends what a bundle's code has started: see [`HostApi::on_unload`]. The host logs the error.
pub type UnloadFunction = unsafe extern "C" fn(host: *const HostApi, data: *mut c_void, out_err: *mut AbiError);

// SAFETY: function pointers and the host's data; the functions accept calls from any thread (the ABI).
unsafe impl Send for HostApi {}
// SAFETY: the functions accept calls from several threads at a time (the ABI).
unsafe impl Sync for HostApi {}

const _: () = {
    assert!(core::mem::offset_of!(HostApi, get_error_len) == 16 * 8);
    assert!(core::mem::offset_of!(HostApi, struct_size) == 17 * 8);
};
