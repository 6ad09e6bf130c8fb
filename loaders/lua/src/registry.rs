//! References to Lua values.
//!
//! The registry of a VM keeps each value that has a reference. A reference is a number, and finds its value without a
//! search by name. The value stays alive until its reference is [released](release).

use std::ffi::{c_int, c_void};

use mlua::ffi::{self, lua_State};

/// The references that calls need.
#[derive(Clone, Copy, Default)]
pub(crate) struct RegistryRefs {
    /// The message handler, which turns an error into a message with a traceback.
    pub(crate) handler: c_int,
    /// The function that runs the body of a protected call.
    pub(crate) runner: c_int,
    /// The function that makes a 64-bit integer of the bytes at an address.
    pub(crate) int64_at: c_int,
    /// The function that tells 64-bit integers from other C values.
    pub(crate) int64_kind: c_int,
    /// The function that checks long lists.
    pub(crate) in_order: c_int,
    /// The metatable of errors that calls of other bundles or of the host have returned.
    pub(crate) call_error: c_int,
    /// The metatable of values that `polyplug.raise` has raised.
    pub(crate) raised: c_int,
    /// The table whose item 1 is the declared error that a call returned last: see [`State::declared`](crate::state::State).
    pub(crate) declared: c_int,
    /// The module `polyplug`.
    pub(crate) module: c_int,
}

/// Pushes the value of a reference.
///
/// # Safety
///
/// The Lua state must be valid, and its stack must have room for a value.
#[inline]
pub(crate) unsafe fn push_ref(lua: *mut lua_State, reference: c_int) {
    // SAFETY: the caller's promise. The registry is a table without metamethods, so that nothing raises an error.
    unsafe { ffi::lua_rawgeti_(lua, ffi::LUA_REGISTRYINDEX, reference) };
}

/// Pops the value at the top of the stack and returns a new reference to the value.
///
/// # Safety
///
/// In a protected call, with a value on the stack.
pub(crate) unsafe fn take_ref(lua: *mut lua_State) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX) }
}

/// Ends a reference.
///
/// # Safety
///
/// The Lua state must be valid, and its stack must have room for two values.
pub(crate) unsafe fn release(lua: *mut lua_State, reference: c_int) {
    // SAFETY: the caller's promise. Only fields that exist are set, which takes no memory and raises no error.
    unsafe { ffi::luaL_unref(lua, ffi::LUA_REGISTRYINDEX, reference) };
}

/// Returns whether the metatable of the value at an index is the value of a reference.
///
/// # Safety
///
/// The Lua state must be valid, the index too, and the stack must have room for two values.
pub(crate) unsafe fn has_metatable(lua: *mut lua_State, index: c_int, reference: c_int) -> bool {
    // SAFETY: the caller's promise. The comparison calls no metamethod.
    unsafe {
        if ffi::lua_getmetatable(lua, index) == 0 {
            return false;
        }
        push_ref(lua, reference);
        let is_same = ffi::lua_rawequal(lua, -1, -2) != 0;
        ffi::lua_pop(lua, 2);
        is_same
    }
}

/// The number of references that are found by index, rather than by a search in the hash part of the registry.
const RESERVED: usize = 64;

/// Reserves the array part of the registry for references. Lua makes one only where there were many at a time.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn reserve(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut taken = [0; RESERVED];
        for reference in &mut taken {
            ffi::lua_pushboolean(lua, 1);
            *reference = take_ref(lua);
        }
        // Lua gives out first what was released last: the low numbers.
        for reference in taken.into_iter().rev() {
            release(lua, reference);
        }
    }
}

/// A key for a table, of which no other code has an equal one. The key is the address of a static of this type.
pub(crate) struct Key(u8);

impl Key {
    /// Makes a key. The value must become a static.
    pub(crate) const fn new() -> Self {
        Self(0)
    }

    /// Returns the key for `lua_rawgetp` and `lua_rawsetp`.
    pub(crate) fn as_ptr(&'static self) -> *const c_void {
        (&raw const self.0).cast()
    }
}
