//! Checks of an interface that a bundle hands over, before the host uses any part of it.

use polyplug_abi::{DispatchMechanisms, DispatchType, Entry, GuestContractInterface, StringView};

/// The most methods an interface may have: more than any contract has, and few enough to check a hostile table.
pub(crate) const FUNCTION_LIMIT: u32 = 1 << 16;

/// The longest name accepted, in bytes.
const NAME_LIMIT: usize = 256;

/// Returns a copy of the interface at `pointer` if every part of the interface can be used.
///
/// Reads function pointers as integers first: a null pointer must never exist as a Rust function pointer.
///
/// # Safety
///
/// `pointer` must be null or point to readable memory of the interface's size. The interface's table of functions must
/// be null or readable for as many entries as the interface states.
pub(crate) unsafe fn checked(pointer: *const GuestContractInterface) -> Result<GuestContractInterface, String> {
    if pointer.is_null() || !pointer.is_aligned() {
        return Err("the interface is null or not aligned".to_owned());
    }
    // SAFETY: not null and aligned (checked above), readable (guaranteed by the caller). Each field is read as a type
    // for which every bit pattern is valid.
    let (create, destroy, dispatch_type) = unsafe {
        (
            (&raw const (*pointer).create_instance).cast::<usize>().read(),
            (&raw const (*pointer).destroy_instance).cast::<usize>().read(),
            (&raw const (*pointer).dispatch_type).read(),
        )
    };
    // SAFETY: the interface and its table of functions are readable (guaranteed by the caller).
    unsafe { check_functions(create, destroy, dispatch_type, &raw const (*pointer).dispatch)? };
    // SAFETY: readable (guaranteed by the caller), and the checks above found every field valid for its type.
    Ok(unsafe { pointer.read() })
}

/// Checks the functions of an interface: a null one must never exist as a Rust function pointer.
///
/// # Safety
///
/// `dispatch` must be readable, and its table of functions null or readable for as many entries as it states.
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
        // SAFETY: `dispatch` and its table are readable (guaranteed by the caller).
        DispatchType::Native => unsafe { check_native(dispatch) },
        DispatchType::VirtualMachine => {
            // SAFETY: readable (guaranteed by the caller); a `VmDispatch` begins with its function, read as an integer.
            let call = unsafe { dispatch.cast::<usize>().read() };
            if call == 0 { Err("the interface's `call` is null".to_owned()) } else { Ok(()) }
        }
        other => Err(format!("{other:?} is no way to dispatch: use Native (0) or VirtualMachine (1)")),
    }
}

/// Checks the table of a native interface.
///
/// # Safety
///
/// `dispatch` must be readable, and its table null or readable for as many entries as it states.
unsafe fn check_native(dispatch: *const DispatchMechanisms) -> Result<(), String> {
    // SAFETY: readable (guaranteed by the caller); every bit pattern is a valid number and a valid data pointer.
    let native = unsafe { (*dispatch).native };
    // SAFETY: the table is null or readable for its entries (guaranteed by the caller).
    unsafe { check_entries(native.functions, native.function_count) }
}

/// Checks a table of functions.
///
/// # Safety
///
/// `functions` must be null, misaligned, or readable for `count` entries.
pub(crate) unsafe fn check_entries(functions: *const *const (), count: u32) -> Result<(), String> {
    if count > FUNCTION_LIMIT {
        return Err(format!("{count} functions are too many (at most {FUNCTION_LIMIT})"));
    }
    if count == 0 {
        return Ok(());
    }
    if functions.is_null() || !functions.is_aligned() {
        return Err("the table of functions is null or not aligned".to_owned());
    }
    for index in 0..count as usize {
        // SAFETY: the table is not null (checked above), and readable for its entries (guaranteed by the caller).
        if unsafe { functions.add(index).read() }.is_null() {
            return Err(format!("function {index} of {count} is null"));
        }
    }
    Ok(())
}

/// Returns the table of a native interface.
///
/// # Safety
///
/// `interface` must have passed [`checked`] and be native.
pub(crate) unsafe fn native_functions<'a>(interface: &GuestContractInterface) -> &'a [Entry] {
    // SAFETY: the interface is native (guaranteed by the caller), so this member was initialised.
    let native = unsafe { interface.dispatch.native };
    if native.function_count == 0 {
        return &[];
    }
    // SAFETY: `checked` found the table and its functions not null; a pointer that is not null is a valid `Entry`.
    unsafe { std::slice::from_raw_parts(native.functions.cast::<Entry>(), native.function_count as usize) }
}

/// Copies a name, which must be UTF-8 and not empty.
///
/// # Safety
///
/// The view must be empty or readable.
pub(crate) unsafe fn checked_name(view: StringView, what: &str) -> Result<String, String> {
    if view.len > NAME_LIMIT {
        return Err(format!("the {what} is {} bytes long (at most {NAME_LIMIT})", view.len));
    }
    // SAFETY: the view is empty or readable (guaranteed by the caller).
    let bytes = unsafe { view.bytes() }.ok_or_else(|| format!("the {what} is null"))?;
    let text = std::str::from_utf8(bytes).map_err(|error| format!("the {what} is not UTF-8: {error}"))?;
    if text.is_empty() { Err(format!("the {what} is empty")) } else { Ok(text.to_owned()) }
}
