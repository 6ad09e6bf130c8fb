//! Calls of methods by number, through whatever a table offers for that.

use polyplug_abi::{AbiError, CallArena, DispatchMechanisms, DispatchType, Entry, GuestContractInstance, VmDispatch};

/// The pointers that every call through the C ABI passes on: arguments, room for the result, arena, room for an error.
#[derive(Clone, Copy)]
pub(crate) struct CallFrame {
    /// The canonical forms of the arguments; null when there are none.
    pub(crate) args: *const (),
    /// Room for the canonical form of the result; null for unit.
    pub(crate) out: *mut (),
    /// The caller's arena; null when neither arguments nor result need one.
    pub(crate) arena: *mut CallArena,
    /// Room for an error, written on failure only.
    pub(crate) out_err: *mut AbiError,
}

/// The way to the methods of one table: an entry for each, or one function of a VM for all.
#[derive(Clone, Copy)]
pub(crate) enum Dispatch {
    /// A table of entries.
    Native {
        /// The first entry; not looked at when there are none.
        functions: *const Entry,
        /// The number of entries.
        count: u32,
    },
    /// One function, which is told the method's number.
    Vm(VmDispatch),
}

// SAFETY: the pointer leads to a table that never changes while it is used (promised to `new`), and entries accept calls
// from any thread by the ABI's contract.
unsafe impl Send for Dispatch {}
// SAFETY: no method changes anything, and entries accept calls from any thread by the ABI's contract.
unsafe impl Sync for Dispatch {}

impl Dispatch {
    /// Reads the member of `mechanisms` that `dispatch_type` selects.
    ///
    /// # Safety
    ///
    /// The member must hold, and its functions must have been found not null. They must stay valid for as long as the
    /// result is used.
    #[inline]
    pub(crate) unsafe fn new(dispatch_type: DispatchType, mechanisms: &DispatchMechanisms) -> Self {
        match dispatch_type {
            // SAFETY: the caller promises that the member holds.
            DispatchType::VirtualMachine => Self::Vm(unsafe { mechanisms.vm }),
            _ => {
                // SAFETY: the caller promises that the member holds.
                let native = unsafe { mechanisms.native };
                Self::Native { functions: native.functions.cast(), count: native.function_count }
            }
        }
    }

    /// Calls method `fn_id` of `instance`. Returns whether the table has one; a VM reports a number that it does not know
    /// as an error of the call.
    ///
    /// # Safety
    ///
    /// The instance must be the table's and alive, and `frame` must be what the method's entry expects.
    #[inline]
    pub(crate) unsafe fn call(self, instance: GuestContractInstance, fn_id: u32, frame: CallFrame) -> bool {
        let CallFrame { args, out, arena, out_err } = frame;
        match self {
            Self::Native { count, .. } if fn_id >= count => return false,
            Self::Native { functions, .. } => {
                // SAFETY: `fn_id` is less than `count`, so the entry lies within the table, whose entries were found not
                // null (promised to `new`).
                let entry = unsafe { functions.add(fn_id as usize).read() };
                // SAFETY: the caller promises instance and frame.
                unsafe { entry(instance, args, out, arena, out_err) };
            }
            // SAFETY: the function was found not null (promised to `new`); the caller promises instance and frame.
            Self::Vm(vm) => unsafe { (vm.call)(vm.loader_data, instance, fn_id, args, out, arena, out_err) },
        }
        true
    }
}
