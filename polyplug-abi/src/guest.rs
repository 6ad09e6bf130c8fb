//! Contracts that plugins implement.

use core::ffi::c_void;

use crate::dispatch::{DispatchMechanisms, DispatchType, VmLoaderData};
use crate::host::HostApi;
use crate::ids::GuestContractId;
use crate::types::Version;

/// A handle to a slot of the store: the slot's index, and the generation that distinguishes successive interfaces in
/// the slot.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GuestContractHandle {
    /// The index of the slot.
    pub index: u32,
    /// The generation that the slot had when the handle was made.
    pub generation: u32,
}

const _: () = assert!(size_of::<GuestContractHandle>() == 8);

impl GuestContractHandle {
    /// Returns the null handle, which does not refer to a slot.
    #[must_use]
    pub const fn null() -> Self {
        Self { index: u32::MAX, generation: 0 }
    }

    /// Returns whether this is the null handle.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.index == u32::MAX
    }
}

/// An object that a plugin's factory made.
///
/// For an [`Entry`](crate::Entry), `data` is the plugin's own pointer. For the functions of `HostApi`, `data` is a
/// token that only the host can interpret.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuestContractInstance {
    /// The object, or the host's token for it.
    pub data: *mut c_void,
    /// The contract that the object implements.
    pub contract_id: GuestContractId,
}

const _: () = assert!(size_of::<GuestContractInstance>() == 16);

impl GuestContractInstance {
    /// Returns the null instance.
    #[must_use]
    pub const fn null() -> Self {
        Self { data: core::ptr::null_mut(), contract_id: GuestContractId::from_u64(0) }
    }

    /// Returns whether this is the null instance.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.data.is_null()
    }
}

// SAFETY: an opaque pointer and a number. The object accepts calls from any thread: a contract's trait has `Send` and
// `Sync` as supertraits, and docs/abi.md demands the same of plugins written by hand.
unsafe impl Send for GuestContractInstance {}
// SAFETY: the object accepts calls from several threads at a time, by the supertrait `Sync` or by docs/abi.md.
unsafe impl Sync for GuestContractInstance {}

/// Makes an instance. The function cannot report an error: a plugin whose factory can fail registers a
/// `CreateWithError` with `HostApi::register_plugin`. A null `data` is a valid instance, for plugins that need no data.
pub type CreateInstance = unsafe extern "C" fn(
    loader_data: VmLoaderData,
    host: *const HostApi,
    args: *const (),
    out_instance: *mut GuestContractInstance,
);

/// Destroys an instance.
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
    /// The member of `dispatch` that is valid.
    pub dispatch_type: DispatchType,
    /// The function that makes an instance.
    pub create_instance: CreateInstance,
    /// The function that destroys an instance.
    pub destroy_instance: DestroyInstance,
    /// The dispatch of the methods.
    pub dispatch: DispatchMechanisms,
}

const _: () = assert!(size_of::<GuestContractInterface>() == 56);

// SAFETY: function pointers, numbers and pointers to tables that never change while the interface is registered.
unsafe impl Send for GuestContractInterface {}
// SAFETY: the tables never change while the interface is registered, so any number of threads may read them.
unsafe impl Sync for GuestContractInterface {}
