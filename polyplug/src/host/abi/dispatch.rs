//! Calls of methods by number, through the dispatch mechanism of a table.

use polyplug_abi::{AbiError, CallArena, DispatchMechanisms, DispatchType, Entry, GuestContractInstance, VmDispatch};

/// The pointers that every call through the C ABI passes on: arguments, result buffer, arena, error buffer.
#[derive(Clone, Copy)]
pub(crate) struct CallFrame {
    /// The lowered arguments; null when there are none.
    pub(crate) args: *const (),
    /// The buffer for the lowered result; null for unit.
    pub(crate) out: *mut (),
    /// The caller's arena; null when neither arguments nor result need one.
    pub(crate) arena: *mut CallArena,
    /// The buffer for an error, written on failure only.
    pub(crate) out_err: *mut AbiError,
}

/// The dispatch of one table's methods: an entry for each, or one function of a VM for all.
#[derive(Clone, Copy)]
pub(crate) enum Dispatch {
    /// A table of entries.
    Native {
        /// The first entry; not read when there are none.
        functions: *const Entry,
        /// The number of entries.
        count: u32,
    },
    /// One function, which takes the method's number.
    Vm(VmDispatch),
}

// SAFETY: the caller of `new` keeps the table valid and unchanged, and the ABI contract lets entries be called from any
// thread.
unsafe impl Send for Dispatch {}
// SAFETY: no method writes through the pointer, and the ABI contract lets entries be called from any thread.
unsafe impl Sync for Dispatch {}

impl Dispatch {
    /// Reads the member of `mechanisms` that `dispatch_type` selects.
    ///
    /// # Safety
    ///
    /// `dispatch_type` must select the member that was initialised, and the member's functions must be found not null.
    /// The functions and their table must stay valid and unchanged for as long as the result is used.
    #[inline]
    pub(crate) unsafe fn new(dispatch_type: DispatchType, mechanisms: &DispatchMechanisms) -> Self {
        match dispatch_type {
            // SAFETY: the caller guarantees that this member was initialised.
            DispatchType::VirtualMachine => Self::Vm(unsafe { mechanisms.vm }),
            _ => {
                // SAFETY: the caller guarantees that this member was initialised.
                let native = unsafe { mechanisms.native };
                Self::Native { functions: native.functions.cast(), count: native.function_count }
            }
        }
    }

    /// Calls method `fn_id` of `instance`. Returns whether the table has that method. A VM reports an unknown number as
    /// an error of the call.
    ///
    /// # Safety
    ///
    /// The table's factory must have made the instance, which must not be destroyed. `frame` must be what the method's
    /// entry expects.
    #[inline]
    pub(crate) unsafe fn call(self, instance: GuestContractInstance, fn_id: u32, frame: CallFrame) -> bool {
        let CallFrame { args, out, arena, out_err } = frame;
        match self {
            Self::Native { count, .. } if fn_id >= count => return false,
            Self::Native { functions, .. } => {
                // SAFETY: `fn_id` is less than `count`, so the entry lies within the table, whose entries are not null
                // (guaranteed by the caller of `new`).
                let entry = unsafe { functions.add(fn_id as usize).read() };
                // SAFETY: the caller guarantees the instance and the frame.
                unsafe { entry(instance, args, out, arena, out_err) };
            }
            // SAFETY: the caller of `new` guarantees a function that is not null, this caller the instance and the
            // frame.
            Self::Vm(vm) => unsafe { (vm.call)(vm.loader_data, instance, fn_id, args, out, arena, out_err) },
        }
        true
    }
}
