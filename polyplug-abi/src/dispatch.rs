//! The dispatch of calls to functions.

use core::ffi::c_void;
use core::fmt;

use crate::arena::CallArena;
use crate::error::AbiError;
use crate::guest::GuestContractInstance;

/// One function of a contract.
///
/// `args` points at a C struct of the arguments in their canonical layouts (null without arguments). `out` points at
/// memory for the result in its canonical layout (null for unit). `arena` is the memory for the data behind pointers
/// (null if neither arguments nor result need an arena). The caller sets `out_err.code` to 0; the callee writes
/// `out_err` only on failure.
pub type Entry = unsafe extern "C" fn(
    instance: GuestContractInstance,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
);

/// The function that calls every method of a contract that a virtual machine implements: an [`Entry`] with the loader's
/// data and the number of the method.
pub type VmCall = unsafe extern "C" fn(
    loader_data: VmLoaderData,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
);

/// The member of [`DispatchMechanisms`] that an interface uses.
///
/// The type is a transparent integer, because a foreign table may hold any number.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DispatchType(pub u32);

#[allow(non_upper_case_globals)] // the constants are used like the variants of an enum
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

/// The data that a loader attached to an interface. Each function of the interface receives it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VmLoaderData {
    /// The loader's pointer.
    pub data: *mut c_void,
}

impl VmLoaderData {
    /// Returns the data of native code, to which no loader attached any.
    #[must_use]
    pub const fn null() -> Self {
        Self { data: core::ptr::null_mut() }
    }
}

// SAFETY: an opaque pointer to the loader's data; a loader must accept calls from any thread (the ABI).
unsafe impl Send for VmLoaderData {}
// SAFETY: a loader must accept calls from several threads at a time (the ABI).
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

/// The function of a virtual machine, with its data.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VmDispatch {
    /// The function that carries out every method.
    pub call: VmCall,
    /// The data that `call`, and the interface's `create_instance` and `destroy_instance`, receive.
    pub loader_data: VmLoaderData,
}

/// The dispatch of an interface. [`DispatchType`] says which member is valid.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DispatchMechanisms {
    /// The member for [`DispatchType::Native`].
    pub native: NativeDispatch,
    /// The member for [`DispatchType::VirtualMachine`].
    pub vm: VmDispatch,
}

const _: () = {
    assert!(size_of::<VmLoaderData>() == 8);
    assert!(size_of::<NativeDispatch>() == 16);
    assert!(size_of::<VmDispatch>() == 16);
    assert!(size_of::<DispatchMechanisms>() == 16);
};
