//! Integers of 64 bits that a number of Lua's cannot hold: LuaJIT has a type of its own for them, which only its
//! library `ffi` makes. It is opened when the first such integer is met, and stays hidden from bundles.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::Integer;

use crate::registry::{push_ref, take_ref};
use crate::state::State;

/// Makes the functions that deal with them: one that reads an integer at an address, and one that says which kind a
/// value is.
const HELPERS: &std::ffi::CStr = c"
local ffi = ...
local signed, unsigned = ffi.typeof('int64_t'), ffi.typeof('uint64_t')
local s, u = ffi.typeof('int64_t*'), ffi.typeof('uint64_t*')
return function(at, is_signed)
  return is_signed and ffi.cast(s, at)[0] or ffi.cast(u, at)[0]
end, function(value)
  return ffi.istype(signed, value) and 1 or ffi.istype(unsigned, value) and 2 or 0
end
";

/// Opens the library. May raise an error.
unsafe fn open(state: &State, lua: *mut lua_State) {
    let mut refs = state.refs.get();
    if refs.int64_at != 0 {
        return;
    }
    // SAFETY: in a protected call (the caller's promise).
    unsafe {
        let top = ffi::lua_gettop(lua);
        let len = HELPERS.to_bytes().len();
        if ffi::luaL_loadbuffer(lua, HELPERS.as_ptr(), len, c"=polyplug".as_ptr()) != ffi::LUA_OK {
            ffi::lua_error(lua);
        }
        // The library puts itself among those that are loaded, which bundles see with the full standard library only.
        // There it is already if a program has such integers in its text; a second one would take up memory for good.
        ffi::lua_getfield(lua, ffi::LUA_REGISTRYINDEX, ffi::LUA_LOADED_TABLE);
        ffi::lua_getfield(lua, -1, ffi::LUA_FFILIBNAME);
        ffi::lua_remove(lua, -2);
        if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
            ffi::lua_settop(lua, -2);
            ffi::lua_pushcclosure(lua, ffi::luaopen_ffi, 0);
            ffi::lua_pushstring(lua, ffi::LUA_FFILIBNAME);
            ffi::lua_call(lua, 1, 1);
        }
        ffi::lua_call(lua, 1, 2);
        refs.int64_kind = take_ref(lua);
        refs.int64_at = take_ref(lua);
        state.refs.set(refs);
        ffi::lua_settop(lua, top);
    }
}

/// Pushes an integer.
///
/// # Safety
///
/// In a protected call.
#[cold]
pub(crate) unsafe fn push(state: &State, lua: *mut lua_State, value: Integer) {
    let (bits, is_signed) = match value {
        #[allow(clippy::cast_sign_loss)] // the bits are what counts
        Integer::I64(number) => (number as u64, true),
        Integer::U64(number) => (number, false),
        _ => unreachable!("smaller integers are numbers"),
    };
    // SAFETY: the caller's promise. The function reads the number before this returns.
    unsafe {
        open(state, lua);
        push_ref(lua, state.refs.get().int64_at);
        ffi::lua_pushlightuserdata(lua, std::ptr::from_ref(&bits).cast_mut().cast());
        ffi::lua_pushboolean(lua, is_signed.into());
        ffi::lua_call(lua, 2, 1);
    }
}

/// The integer at an index; `None` if it is another value of C.
///
/// # Safety
///
/// In a protected call; the index must be valid.
#[cold]
pub(crate) unsafe fn read(state: &State, lua: *mut lua_State, index: c_int) -> Option<i128> {
    // SAFETY: the caller's promise.
    unsafe {
        open(state, lua);
        ffi::lua_pushvalue(lua, index);
        let value = ffi::lua_gettop(lua);
        push_ref(lua, state.refs.get().int64_kind);
        ffi::lua_pushvalue(lua, value);
        ffi::lua_call(lua, 1, 1);
        let kind = ffi::lua_tonumber(lua, -1);
        let at = ffi::lua_topointer(lua, value);
        // SAFETY: the address of a value of C is that of its bytes, eight for these kinds.
        let number = match kind {
            1.0 => Some(at.cast::<i64>().read_unaligned().into()),
            2.0 => Some(at.cast::<u64>().read_unaligned().into()),
            _ => None,
        };
        ffi::lua_settop(lua, value - 1);
        number
    }
}
