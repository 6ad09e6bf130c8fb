//! How a machine is kept within the time that its bundle may use.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_Debug, lua_State};

/// How many instructions of the machine are carried out between two looks at the clock.
const INSTRUCTIONS: c_int = 1000;

/// Looks at the clock from now on.
///
/// # Safety
///
/// The machine must be valid, and this thread in it.
pub(crate) unsafe fn watch(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe { ffi::lua_sethook(lua, Some(look), ffi::LUA_MASKCOUNT, INSTRUCTIONS) };
}

/// Does so no longer.
///
/// # Safety
///
/// As for [`watch`].
pub(crate) unsafe fn unwatch(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe { ffi::lua_sethook(lua, None, 0, 0) };
}

/// `xpcall`, whose handler is left out once the time is up: what a hook raises is handled within the hook, where no other
/// hook fires, and a handler could run on forever.
const XPCALL: &CStr = c"
local xpcall, is_over = ...
return function(f, handler, ...)
  return xpcall(f, function(value)
    if is_over() then return value end
    return handler(value)
  end, ...)
end
";

/// Changes what a program could otherwise escape the clock by. May raise an error.
///
/// # Safety
///
/// In a protected call, after the standard library was opened.
pub(crate) unsafe fn guard(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::luaL_loadbuffer(lua, XPCALL.as_ptr(), XPCALL.to_bytes().len(), c"=polyplug".as_ptr()) != ffi::LUA_OK {
            ffi::lua_error(lua);
        }
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"xpcall".as_ptr());
        ffi::lua_pushcclosure(lua, is_over, 0);
        ffi::lua_call(lua, 2, 1);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, c"xpcall".as_ptr());
    }
}

unsafe extern "C-unwind" fn is_over(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it, with room for a few values.
    unsafe { ffi::lua_pushboolean(lua, crate::state::State::of(lua).deadline.is_over().into()) };
    1
}

/// Ends what runs for too long.
unsafe extern "C-unwind" fn look(state: *mut lua_State, _: *mut lua_Debug) {
    // SAFETY: Lua calls its hooks with a valid machine, in which an error may be raised.
    unsafe {
        if crate::state::State::of(state).deadline.is_over() {
            // From now on at each instruction: code that catches errors must not go on.
            ffi::lua_sethook(state, Some(look), ffi::LUA_MASKCOUNT, 1);
            ffi::luaL_error(state, c"the call takes too long".as_ptr());
        }
    }
}
