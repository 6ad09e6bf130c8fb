//! What the host offers: the function table handed to every plugin, and contracts that the host implements.

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

/// How serious a log message is; smaller is more serious.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogLevel(pub u32);

#[allow(non_upper_case_globals)] // they read like the variants of an enum, which is what they stand for
impl LogLevel {
    /// Something failed.
    pub const Error: Self = Self(1);
    /// Something is wrong but work goes on.
    pub const Warn: Self = Self(2);
    /// Worth knowing.
    pub const Info: Self = Self(3);
    /// For developers.
    pub const Debug: Self = Self(4);
    /// For developers in trouble.
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
    /// No object.
    #[must_use]
    pub const fn null() -> Self {
        Self { data: core::ptr::null_mut() }
    }

    /// Whether there is no object.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.data.is_null()
    }
}

// SAFETY: an opaque pointer; host contracts accept calls from any thread.
unsafe impl Send for HostContractInstance {}
// SAFETY: as for `Send`.
unsafe impl Sync for HostContractInstance {}

/// The table through which a host contract is called. It stays where it is until the runtime ends.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HostContractInterface {
    /// The contract.
    pub contract_id: HostContractId,
    /// Its version.
    pub contract_version: Version,
    /// 1 when one object serves all plugins, 0 when each look-up makes one.
    pub singleton: u8,
    /// Which member of `dispatch` holds.
    pub dispatch_type: DispatchType,
    /// The provider's data.
    pub user_data: *mut c_void,
    /// Makes an object.
    pub create_instance: unsafe extern "C" fn(
        table: *const HostContractInterface,
        args: *const (),
        out_instance: *mut HostContractInstance,
    ),
    /// Ends an object.
    pub destroy_instance: unsafe extern "C" fn(table: *const HostContractInterface, instance: HostContractInstance),
    /// How to call.
    pub dispatch: DispatchMechanisms,
}

const _: () = assert!(size_of::<HostContractInterface>() == 72);

// SAFETY: function pointers, numbers and the provider's data, which must be usable from any thread.
unsafe impl Send for HostContractInterface {}
// SAFETY: as for `Send`.
unsafe impl Sync for HostContractInterface {}

/// The functions a host offers to a plugin, to a loader, or to a host written in another language.
///
/// Each function takes the table itself as its first argument. Each loaded version of a bundle has a table of its
/// own, so that the host knows who calls; it is valid for as long as that version's code may run.
///
/// Calls are safe against a concurrent reload or unload. A null pointer where one is needed gives
/// [`InvalidPointer`](crate::AbiErrorCode::InvalidPointer) and a recorded last error.
///
/// New fields are added at the end only; `struct_size` says which ones exist.
#[repr(C)]
pub struct HostApi {
    /// The host's own data.
    pub runtime: *mut c_void,
    /// Registers a plugin that has no schema: one written by hand.
    pub register_guest_contract: unsafe extern "C" fn(
        *const HostApi,
        descriptor: *const PluginDescriptor,
        interface: *const GuestContractInterface,
        out_err: *mut AbiError,
    ),
    /// Allocates from the host; null when it cannot.
    pub alloc: unsafe extern "C" fn(*const HostApi, size: usize, align: usize) -> *mut u8,
    /// Gives back what `alloc` returned, with the same size and alignment.
    pub free: unsafe extern "C" fn(*const HostApi, ptr: *mut u8, size: usize, align: usize),
    /// The first provider of a contract, in load order, whose minor version is at least `min_version`.
    pub find_guest_contract:
        unsafe extern "C" fn(*const HostApi, contract_id: u64, min_version: u32) -> GuestContractHandle,
    /// All providers, in load order.
    pub find_all_guest_contracts:
        unsafe extern "C" fn(*const HostApi, contract_id: u64, min_version: u32) -> Array<GuestContractHandle>,
    /// A provider's table; null when the handle is stale. Valid while leased.
    pub resolve_guest_contract:
        unsafe extern "C" fn(*const HostApi, handle: GuestContractHandle) -> *const GuestContractInterface,
    /// An object of a host contract.
    pub get_host_contract:
        unsafe extern "C" fn(*const HostApi, contract_id: u64, min_version: u32) -> HostContractInstance,
    /// The table of a host contract.
    pub resolve_host_contract_interface:
        unsafe extern "C" fn(*const HostApi, contract_id: u64, min_version: u32) -> *const HostContractInterface,
    /// The ids of all loaded bundles, in load order.
    pub list_bundles: unsafe extern "C" fn(*const HostApi) -> Array<BundleId>,
    /// What the calling bundle's manifest declares as dependencies.
    pub get_dependencies: unsafe extern "C" fn(*const HostApi) -> Array<DependencyInfo>,
    /// Loads a bundle from a path in UTF-8. Through a bundle's table, this and the other functions that change bundles
    /// only ask: the runtime does it later, on its own thread, and records a failure as its last error.
    pub load_bundle: unsafe extern "C" fn(*const HostApi, path: *const u8, len: usize, out_err: *mut AbiError),
    /// Reloads a bundle from a path in UTF-8.
    pub reload_bundle: unsafe extern "C" fn(*const HostApi, path: *const u8, len: usize, out_err: *mut AbiError),
    /// Provides a host contract; the table must stay valid until the runtime ends.
    pub register_host_contract:
        unsafe extern "C" fn(*const HostApi, interface: *const HostContractInterface, out_err: *mut AbiError),
    /// Adds a loader: a `Box<Box<dyn BundleLoader>>` as a raw pointer, which the runtime takes over.
    pub register_loader: unsafe extern "C" fn(*const HostApi, loader: *mut c_void, out_err: *mut AbiError),
    /// Copies the runtime's last error into `buf` and clears it; the number of bytes copied.
    pub get_last_error: unsafe extern "C" fn(*const HostApi, buf: *mut u8, len: usize) -> usize,
    /// The length of the runtime's last error in bytes; 0 when there is none.
    pub get_error_len: unsafe extern "C" fn(*const HostApi) -> usize,
    /// `size_of::<HostApi>()` as the host was built.
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
    /// Makes an instance; what is returned is a token that only this host understands.
    pub create_guest_instance: unsafe extern "C" fn(
        *const HostApi,
        handle: GuestContractHandle,
        args: *const (),
        out_instance: *mut GuestContractInstance,
        out_err: *mut AbiError,
    ),
    /// Ends an instance made by `create_guest_instance`; a stale token is ignored.
    pub destroy_guest_instance: unsafe extern "C" fn(*const HostApi, instance: GuestContractInstance),
    /// Unloads a bundle.
    pub unload_bundle: unsafe extern "C" fn(*const HostApi, bundle_id: u64, out_err: *mut AbiError),
    /// Writes to the host's log. `level` is a [`LogLevel`].
    pub log: unsafe extern "C" fn(*const HostApi, level: u32, scope: StringView, message: StringView),
    /// Registers a plugin with everything `#[plugin]` knows about it.
    pub register_plugin:
        unsafe extern "C" fn(*const HostApi, registration: *const PluginRegistration, out_err: *mut AbiError),
    /// Room for the text of an error where a call has no arena; valid until this thread's next call. Null when
    /// `len` is larger than the host is willing to keep.
    pub error_text: unsafe extern "C" fn(*const HostApi, len: usize) -> *mut u8,
    /// An arena for one call that this thread is about to make; give it back with `leave_arena` in reverse order.
    pub enter_arena: unsafe extern "C" fn(*const HostApi) -> *mut CallArena,
    /// Ends the use of an arena; what lies in it is gone.
    pub leave_arena: unsafe extern "C" fn(*const HostApi, arena: *mut CallArena),
    /// Keeps this table valid until `release_host`. It does not keep the bundle loaded.
    pub retain_host: unsafe extern "C" fn(*const HostApi),
    /// Ends a `retain_host`.
    pub release_host: unsafe extern "C" fn(*const HostApi),
    /// Takes a lease on a provider: its table, which stays valid, and what it leads to mapped, until `release`. Null
    /// when the handle is stale.
    pub lease: unsafe extern "C" fn(
        *const HostApi,
        handle: GuestContractHandle,
        out_err: *mut AbiError,
    ) -> *const GuestContractInterface,
    /// Ends a lease. What is none is ignored.
    pub release: unsafe extern "C" fn(*const HostApi, interface: *const GuestContractInterface),
    /// Runs `body(data)` on a thread of its own for the calling bundle, which stays mapped meanwhile. `name` is for
    /// people. When this fails, `body` is not called, and `data` is still the caller's.
    pub spawn: unsafe extern "C" fn(
        *const HostApi,
        name: StringView,
        body: ThreadBody,
        data: *mut c_void,
        out_err: *mut AbiError,
    ),
    /// Waits until the calling bundle's version is retired, by a reload or by being unloaded, at most for `millis`
    /// milliseconds; 1 when it is, else 0. Threads of the bundle then have to end.
    pub wait_retired: unsafe extern "C" fn(*const HostApi, millis: u64) -> u8,
    /// Prefers what `bundle_id` provides for a contract: look-ups that take the first provider find it.
    pub prefer: unsafe extern "C" fn(*const HostApi, contract_id: u64, bundle_id: u64, out_err: *mut AbiError),
    /// What one bundle provides for a contract; null when it does not.
    pub find_guest_contract_in:
        unsafe extern "C" fn(*const HostApi, contract_id: u64, bundle_id: u64) -> GuestContractHandle,
    /// Unloads a bundle after all those that need it, the last loaded first.
    pub unload_bundle_cascade: unsafe extern "C" fn(*const HostApi, bundle_id: u64, out_err: *mut AbiError),
    /// Waits until the code of retired versions is gone, at most for `millis` milliseconds; how many are still there.
    /// Through a bundle's table it does not wait: the bundle's own code may be what is to go.
    pub quiesce: unsafe extern "C" fn(*const HostApi, millis: u64) -> usize,
    /// Makes a proxy for the calling bundle: for a host contract, or for a contract that the bundle's manifest declares
    /// as a dependency. What is written is a token that only this host understands. It keeps nobody loaded. The name of
    /// the callee's bundle is written as well, unless `out_bundle` is null; it is valid until this thread's next call.
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
    /// Ends a token of `open_proxy`, `offer_object` or `share_object`; a stale one is ignored.
    pub close_proxy: unsafe extern "C" fn(*const HostApi, proxy: *mut c_void),
    /// Offers an object to be called by others; a token for it, or null. It is called with `call_proxy`.
    pub offer_object:
        unsafe extern "C" fn(*const HostApi, offer: *const ObjectOffer, out_err: *mut AbiError) -> *mut c_void,
    /// Another token for an object that may be kept, or null: for whoever keeps one that came as an argument. The name of
    /// the bundle that offered it is written as well, as by `open_proxy`.
    pub share_object: unsafe extern "C" fn(
        *const HostApi,
        proxy: *mut c_void,
        out_bundle: *mut StringView,
        out_err: *mut AbiError,
    ) -> *mut c_void,
    /// The calling bundle's settings: an object of JSON, `{}` when there are none. Valid as long as the table is.
    pub config: unsafe extern "C" fn(*const HostApi) -> StringView,
    /// The calling bundle's name; empty through the host's own table. Valid as long as the table is.
    pub bundle_name: unsafe extern "C" fn(*const HostApi) -> StringView,
}

/// What a thread does: see [`HostApi::spawn`].
pub type ThreadBody = unsafe extern "C" fn(data: *mut c_void);

// SAFETY: function pointers and the host's data, whose functions accept calls from any thread.
unsafe impl Send for HostApi {}
// SAFETY: as for `Send`.
unsafe impl Sync for HostApi {}

const _: () = {
    assert!(core::mem::offset_of!(HostApi, get_error_len) == 16 * 8);
    assert!(core::mem::offset_of!(HostApi, struct_size) == 17 * 8);
};
