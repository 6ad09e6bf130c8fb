//! Integers as Lua values.
//!
//! A Lua number holds integers up to [`MAX_EXACT`]. For larger ones LuaJIT has the C types `int64_t` and `uint64_t`,
//! which only its library `ffi` can make. The library stays hidden from bundles. It is opened with the first such integer:
//! by LuaJIT itself if a program has the integer in its text, and here if not. A lack of memory just then would leave the
//! library half open, and lose the memory that it has. So a VM whose memory is limited opens the library when it is made.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::Integer;

use crate::builtin::Builtin;
use crate::registry::{RegistryRefs, push_ref, take_ref};
use crate::state::State;

/// The largest magnitude up to which all integers are exact in a Lua number.
pub(crate) const MAX_EXACT: u64 = 1 << 53;

/// A program that returns two functions: one reads an integer at an address, the other returns the kind of a C value.
static HELPERS: Builtin = Builtin::new(
    b"
local ffi = ...
local signed, unsigned = ffi.typeof('int64_t'), ffi.typeof('uint64_t')
local s, u = ffi.typeof('int64_t*'), ffi.typeof('uint64_t*')
return function(at, is_signed)
  return is_signed and ffi.cast(s, at)[0] or ffi.cast(u, at)[0]
end, function(value)
  return ffi.istype(signed, value) and 1 or ffi.istype(unsigned, value) and 2 or 0
end
",
);

/// Pushes an integer: a number if it is exact, else a C value.
///
/// # Safety
///
/// In a protected call. A number may be pushed outside of one, if the stack has room.
#[inline]
pub(crate) unsafe fn push(state: &State, lua: *mut lua_State, value: Integer) {
    match value.to_i64() {
        Some(number) if number.unsigned_abs() <= MAX_EXACT => {
            #[allow(clippy::cast_precision_loss)] // the condition says that it is exact
            let number = number as f64;
            // SAFETY: the caller's promise. A number takes no memory but its place on the stack.
            unsafe { ffi::lua_pushnumber(lua, number) };
        }
        // SAFETY: the caller's promise.
        _ => unsafe { push_c_value(state, lua, value) },
    }
}

/// Pushes an integer as a C value.
///
/// # Safety
///
/// In a protected call.
#[cold]
unsafe fn push_c_value(state: &State, lua: *mut lua_State, value: Integer) {
    let (bits, is_signed) = match value {
        #[allow(clippy::cast_sign_loss)] // the function reads the bits as a signed integer
        Integer::I64(number) => (number as u64, true),
        Integer::U64(number) => (number, false),
        _ => unreachable!("smaller integers are numbers"),
    };
    // SAFETY: the caller's promise. The function reads `bits` before the call returns.
    unsafe {
        open(state, lua);
        push_ref(lua, state.refs.get().int64_at);
        ffi::lua_pushlightuserdata(lua, std::ptr::from_ref(&bits).cast_mut().cast());
        ffi::lua_pushboolean(lua, is_signed.into());
        ffi::lua_call(lua, 2, 1);
    }
}

/// Returns the integer of the C value at an index, or `None` if the value has another C type.
///
/// # Safety
///
/// In a protected call. The value at the index must be a C value.
#[cold]
pub(crate) unsafe fn read(state: &State, lua: *mut lua_State, index: c_int) -> Option<i128> {
    // SAFETY: the caller's promise. The address of a C value is that of its bytes, eight for the kinds 1 and 2.
    unsafe {
        ffi::lua_pushvalue(lua, index);
        let value = ffi::lua_gettop(lua);
        open(state, lua);
        push_ref(lua, state.refs.get().int64_kind);
        ffi::lua_pushvalue(lua, value);
        ffi::lua_call(lua, 1, 1);
        let kind = ffi::lua_tonumber(lua, -1);
        let at = ffi::lua_topointer(lua, value);
        let number = match kind {
            1.0 => Some(at.cast::<i64>().read_unaligned().into()),
            2.0 => Some(at.cast::<u64>().read_unaligned().into()),
            _ => None,
        };
        ffi::lua_settop(lua, value - 1);
        number
    }
}

/// The slots of the stack that [`open`] needs.
const SLOTS: c_int = 8;

/// Makes the helper functions, unless they exist, and opens the library `ffi`, unless it is open.
///
/// # Safety
///
/// In a protected call, after the standard library was opened.
pub(crate) unsafe fn open(state: &State, lua: *mut lua_State) {
    if state.refs.get().int64_at != 0 {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        ffi::luaL_checkstack(lua, SLOTS, c"an integer of 64 bits".as_ptr());
        let top = ffi::lua_gettop(lua);
        HELPERS.push(lua);
        // The full standard library has the library already, and so has LuaJIT, if it has opened the library itself. Bundles
        // see this table of loaded modules only with the full standard library.
        ffi::lua_getfield(lua, ffi::LUA_REGISTRYINDEX, ffi::LUA_LOADED_TABLE);
        ffi::lua_getfield(lua, -1, ffi::LUA_FFILIBNAME);
        ffi::lua_remove(lua, -2);
        if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
            ffi::lua_pop(lua, 1);
            ffi::lua_pushcclosure(lua, ffi::luaopen_ffi, 0);
            ffi::lua_pushstring(lua, ffi::LUA_FFILIBNAME);
            ffi::lua_call(lua, 1, 1);
        }
        ffi::lua_call(lua, 1, 2);
        let int64_kind = take_ref(lua);
        let int64_at = take_ref(lua);
        state.refs.set(RegistryRefs { int64_at, int64_kind, ..state.refs.get() });
        ffi::lua_settop(lua, top);
    }
}
