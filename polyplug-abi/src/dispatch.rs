//! How a call reaches its function.

use core::ffi::c_void;
use core::fmt;

use crate::arena::CallArena;
use crate::error::AbiError;
use crate::guest::GuestContractInstance;

/// One function of a contract.
///
/// `args` points at a C struct of the canonical forms of the arguments (null when there are none), `out` at room for
/// the canonical form of the result (null for unit), `arena` at the memory results live in (null when the method
/// returns only scalars and takes nothing that needs room). The caller sets `out_err.code` to 0; the callee writes
/// it only on failure.
pub type Entry = unsafe extern "C" fn(
    instance: GuestContractInstance,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
);

/// The one function of a contract that a virtual machine implements: an [`Entry`] plus the loader's data and the
/// number of the method.
pub type VmCall = unsafe extern "C" fn(
    loader_data: VmLoaderData,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
);

/// Which member of [`DispatchMechanisms`] an interface uses.
///
/// A transparent integer: a foreign table may hold any number here.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DispatchType(pub u32);

#[allow(non_upper_case_globals)] // they read like the variants of an enum, which is what they stand for
impl DispatchType {
    /// A table of [`Entry`] functions.
    pub const Native: Self = Self(0);
    /// One [`VmCall`] for all methods.
    pub const VirtualMachine: Self = Self(1);
}

impl fmt::Debug for DispatchType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Native => f.write_str("Native"),
            Self::VirtualMachine => f.write_str("VirtualMachine"),
            Self(other) => write!(f, "DispatchType({other})"),
        }
    }
}

/// What a loader attached to an interface; handed back to each of its functions.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VmLoaderData {
    /// The loader's pointer.
    pub data: *mut c_void,
}

impl VmLoaderData {
    /// Nothing attached, as for native code.
    #[must_use]
    pub const fn null() -> Self {
        Self { data: core::ptr::null_mut() }
    }
}

// SAFETY: an opaque pointer; what it points at is the loader's, which must accept calls from any thread.
unsafe impl Send for VmLoaderData {}
// SAFETY: as for `Send`.
unsafe impl Sync for VmLoaderData {}

/// A table of native functions.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NativeDispatch {
    /// The number of entries in `functions`.
    pub function_count: u32,
    /// The table; each pointer is an [`Entry`].
    pub functions: *const *const (),
}

/// A call into a virtual machine.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VmDispatch {
    /// The function that carries out every method.
    pub call: VmCall,
    /// Handed to `call`, and to the interface's `create_instance` and `destroy_instance`.
    pub loader_data: VmLoaderData,
}

/// How to call: which member holds is said by [`DispatchType`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union DispatchMechanisms {
    /// For [`DispatchType::Native`].
    pub native: NativeDispatch,
    /// For [`DispatchType::VirtualMachine`].
    pub vm: VmDispatch,
}

const _: () = {
    assert!(size_of::<VmLoaderData>() == 8);
    assert!(size_of::<NativeDispatch>() == 16);
    assert!(size_of::<VmDispatch>() == 16);
    assert!(size_of::<DispatchMechanisms>() == 16);
};
