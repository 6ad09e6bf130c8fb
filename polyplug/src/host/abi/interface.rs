//! Checking a table that came from the other side, before any of it is used.

use polyplug_abi::{DispatchMechanisms, DispatchType, Entry, GuestContractInterface, StringView};

/// The most methods an interface may have. Far beyond any contract, and small enough to read a hostile table.
pub(crate) const FUNCTION_LIMIT: u32 = 1 << 16;

/// The longest name accepted, in bytes.
const NAME_LIMIT: usize = 256;

/// A copy of the interface at `pointer`, if every part of it can be used.
///
/// Function pointers are read as numbers: a null one must never exist as a Rust function pointer.
///
/// # Safety
///
/// `pointer` must be null or point at readable memory of the interface's size; its tables too.
pub(crate) unsafe fn checked(pointer: *const GuestContractInterface) -> Result<GuestContractInterface, String> {
    if pointer.is_null() || !pointer.is_aligned() {
        return Err("the interface is null or not aligned".to_owned());
    }
    // SAFETY: not null and aligned; readable by the caller's promise. Each field is read as a type for which every
    // bit pattern is valid.
    let (create, destroy, dispatch_type) = unsafe {
        (
            (&raw const (*pointer).create_instance).cast::<usize>().read(),
            (&raw const (*pointer).destroy_instance).cast::<usize>().read(),
            (&raw const (*pointer).dispatch_type).read(),
        )
    };
    // SAFETY: the caller promises that the interface and its tables are readable.
    unsafe { check_functions(create, destroy, dispatch_type, &raw const (*pointer).dispatch)? };
    // SAFETY: every field has been found valid.
    Ok(unsafe { pointer.read() })
}

/// Checks the functions of an interface: a null one must never exist as a Rust function pointer.
///
/// # Safety
///
/// `dispatch` must be readable, and the table that it leads to.
pub(crate) unsafe fn check_functions(
    create: usize,
    destroy: usize,
    dispatch_type: DispatchType,
    dispatch: *const DispatchMechanisms,
) -> Result<(), String> {
    if create == 0 || destroy == 0 {
        let which = if create == 0 { "create_instance" } else { "destroy_instance" };
        return Err(format!("the interface's `{which}` is null"));
    }
    match dispatch_type {
        // SAFETY: the caller's promise; a `NativeDispatch` is a number and a pointer.
        DispatchType::Native => unsafe { check_native(dispatch) },
        DispatchType::VirtualMachine => {
            // SAFETY: the caller's promise; the first word of a `VmDispatch` is its function.
            let call = unsafe { dispatch.cast::<usize>().read() };
            if call == 0 { Err("the interface's `call` is null".to_owned()) } else { Ok(()) }
        }
        other => Err(format!("{other:?} is no way to dispatch: use Native (0) or VirtualMachine (1)")),
    }
}

unsafe fn check_native(dispatch: *const DispatchMechanisms) -> Result<(), String> {
    // SAFETY: the caller's promise; a number and a pointer are always valid.
    let native = unsafe { (*dispatch).native };
    if native.function_count > FUNCTION_LIMIT {
        return Err(format!("{} functions are too many (at most {FUNCTION_LIMIT})", native.function_count));
    }
    if native.function_count == 0 {
        return Ok(());
    }
    if native.functions.is_null() || !native.functions.is_aligned() {
        return Err("the table of functions is null or not aligned".to_owned());
    }
    for index in 0..native.function_count as usize {
        // SAFETY: `functions` has `function_count` entries (the caller's promise).
        if unsafe { native.functions.add(index).read() }.is_null() {
            return Err(format!("function {index} of {} is null", native.function_count));
        }
    }
    Ok(())
}

/// The table of a native interface.
///
/// # Safety
///
/// `interface` must have passed [`checked`] and be native.
pub(crate) unsafe fn native_functions<'a>(interface: &GuestContractInterface) -> &'a [Entry] {
    // SAFETY: native (the caller's promise).
    let native = unsafe { interface.dispatch.native };
    if native.function_count == 0 {
        return &[];
    }
    // SAFETY: `checked` found the table and every function in it not null; a pointer to an entry has an entry's form.
    unsafe { std::slice::from_raw_parts(native.functions.cast::<Entry>(), native.function_count as usize) }
}

/// A name as text.
///
/// # Safety
///
/// The view must be empty or readable.
pub(crate) unsafe fn checked_name(view: StringView, what: &str) -> Result<String, String> {
    if view.len > NAME_LIMIT {
        return Err(format!("the {what} is {} bytes long (at most {NAME_LIMIT})", view.len));
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { view.bytes() }.ok_or_else(|| format!("the {what} is null"))?;
    let text = std::str::from_utf8(bytes).map_err(|error| format!("the {what} is not UTF-8: {error}"))?;
    if text.is_empty() { Err(format!("the {what} is empty")) } else { Ok(text.to_owned()) }
}
