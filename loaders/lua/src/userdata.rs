//! Userdata that owns a Rust value.
//!
//! The memory of such a userdata is a [`Slot`]. A slot is empty at first, so that no value is lost when Lua raises an
//! error while the userdata is being made. The metamethod `__gc` drops the value.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};

/// The memory of a userdata.
pub(crate) type Slot<T> = Option<Box<T>>;

/// Pushes a userdata without a metatable and returns the address of the userdata's slot, which is empty.
///
/// The slot may be filled once the userdata has a metatable that [`push_metatable`] has made.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn push_slot<T>(lua: *mut lua_State) -> *mut Slot<T> {
    // SAFETY: the caller's promise. Lua aligns userdata for pointers, which is what a slot is.
    unsafe {
        let slot = ffi::lua_newuserdata(lua, size_of::<Slot<T>>()).cast::<Slot<T>>();
        slot.write(None);
        slot
    }
}

/// Returns the value of the userdata at an index, or `None` if the slot is empty.
///
/// # Safety
///
/// The Lua state must be valid. The value at the index must be a userdata from [`push_slot`] with the same `T`, and
/// stay on the stack while the reference is used.
pub(crate) unsafe fn value_at<'a, T>(lua: *mut lua_State, index: c_int) -> Option<&'a T> {
    // SAFETY: the caller's promise: the memory of the userdata is a slot.
    unsafe { (*ffi::lua_touserdata(lua, index).cast::<Slot<T>>()).as_deref() }
}

/// Pushes a metatable for userdata with values of type `T`. `to_string` becomes the metamethod `__tostring`.
///
/// # Safety
///
/// In a protected call. Only userdata from [`push_slot`] with the same `T` may get the metatable.
pub(crate) unsafe fn push_metatable<T>(lua: *mut lua_State, to_string: ffi::lua_CFunction) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 5);
        ffi::lua_pushcclosure(lua, collect::<T>, 0);
        ffi::lua_setfield(lua, -2, c"__gc".as_ptr());
        ffi::lua_pushcclosure(lua, to_string, 0);
        ffi::lua_setfield(lua, -2, c"__tostring".as_ptr());
        // `getmetatable` returns this value, so that scripts cannot call `__gc`.
        ffi::lua_pushboolean(lua, 0);
        ffi::lua_setfield(lua, -2, c"__metatable".as_ptr());
    }
}

/// Implements `__gc`: drops the value.
///
/// # Safety
///
/// Lua calls the function with a userdata whose metatable [`push_metatable`] has made.
unsafe extern "C-unwind" fn collect<T>(lua: *mut lua_State) -> c_int {
    // SAFETY: the caller's promise: the memory of the userdata is a slot.
    unsafe { drop((*ffi::lua_touserdata(lua, 1).cast::<Slot<T>>()).take()) };
    0
}
