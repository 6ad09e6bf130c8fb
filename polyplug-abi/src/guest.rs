//! Contracts that plugins implement.

use core::ffi::c_void;

use crate::dispatch::{DispatchMechanisms, DispatchType, VmLoaderData};
use crate::host::HostApi;
use crate::ids::GuestContractId;
use crate::types::Version;

/// Names a slot of the store: its place, and the generation that tells a later tenant from an earlier one.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GuestContractHandle {
    /// The place of the slot.
    pub index: u32,
    /// The generation the slot had when the handle was made.
    pub generation: u32,
}

const _: () = assert!(size_of::<GuestContractHandle>() == 8);

impl GuestContractHandle {
    /// The handle that names nothing.
    #[must_use]
    pub const fn null() -> Self {
        Self { index: u32::MAX, generation: 0 }
    }

    /// Whether this is the handle that names nothing.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.index == u32::MAX
    }
}

/// One object made by a plugin's factory.
///
/// Towards an [`Entry`](crate::Entry), `data` is the plugin's own pointer. Towards `HostApi`, it is a token that only
/// the host can read.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuestContractInstance {
    /// The object, or the host's token for it.
    pub data: *mut c_void,
    /// The contract it implements.
    pub contract_id: GuestContractId,
}

const _: () = assert!(size_of::<GuestContractInstance>() == 16);

impl GuestContractInstance {
    /// No instance.
    #[must_use]
    pub const fn null() -> Self {
        Self { data: core::ptr::null_mut(), contract_id: GuestContractId::from_u64(0) }
    }

    /// Whether there is no object.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.data.is_null()
    }
}

// SAFETY: an opaque pointer and a number. The objects behind it accept calls from any thread: a contract's trait has
// `Send + Sync` as supertraits, and docs/abi.md asks the same of plugins written by hand.
unsafe impl Send for GuestContractInstance {}
// SAFETY: as for `Send`.
unsafe impl Sync for GuestContractInstance {}

/// Makes an instance. Has no way to say that it failed: a plugin whose factory can fail registers one that has, with
/// `HostApi::register_plugin`. A null `data` is an instance like any other, for plugins that need none.
pub type CreateInstance = unsafe extern "C" fn(
    loader_data: VmLoaderData,
    host: *const HostApi,
    args: *const (),
    out_instance: *mut GuestContractInstance,
);

/// Ends an instance.
pub type DestroyInstance =
    unsafe extern "C" fn(loader_data: VmLoaderData, host: *const HostApi, instance: GuestContractInstance);

/// The table through which one plugin is called.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GuestContractInterface {
    /// The contract that is implemented.
    pub contract_id: GuestContractId,
    /// The version of the contract that the plugin was built against.
    pub contract_version: Version,
    /// Which member of `dispatch` holds.
    pub dispatch_type: DispatchType,
    /// Makes an instance.
    pub create_instance: CreateInstance,
    /// Ends an instance.
    pub destroy_instance: DestroyInstance,
    /// How to call.
    pub dispatch: DispatchMechanisms,
}

const _: () = assert!(size_of::<GuestContractInterface>() == 56);

// SAFETY: function pointers, numbers and pointers to tables that never change while the interface is registered.
unsafe impl Send for GuestContractInterface {}
// SAFETY: as for `Send`.
unsafe impl Sync for GuestContractInterface {}
