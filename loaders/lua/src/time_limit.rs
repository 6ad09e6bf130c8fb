//! How a machine is kept within the time that its bundle may use.

use std::ffi::{CStr, c_int};
use std::time::Duration;

use mlua::ffi::{self, lua_Debug, lua_State};
use polyplug::engine::Deadline;

use crate::registry::Key;

/// The key in the registry under which a machine finds its deadline.
static DEADLINE: Key = Key::new();

/// How many instructions of the machine are carried out between two looks at the clock.
const INSTRUCTIONS: c_int = 1000;

/// The time of a call, until dropped.
pub(crate) struct Timed<'a> {
    lua: *mut lua_State,
    deadline: &'a Deadline,
}

/// Starts the time of a call, and looks at the clock from now on; `None` if it is a call within another.
///
/// # Safety
///
/// The machine must be valid, [guarded](guard), and this thread in it, until what is returned is dropped.
#[inline]
pub(crate) unsafe fn begin(lua: *mut lua_State, deadline: &Deadline, limit: Duration) -> Option<Timed<'_>> {
    deadline.begin(limit).then(|| {
        // SAFETY: the caller's promise.
        unsafe { ffi::lua_sethook(lua, Some(look), ffi::LUA_MASKCOUNT, INSTRUCTIONS) };
        Timed { lua, deadline }
    })
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.deadline.end();
        // SAFETY: this thread is still in the machine (the promise to `begin`).
        unsafe { ffi::lua_sethook(self.lua, None, 0, 0) };
    }
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
/// In a protected call, after the standard library was opened. The deadline must outlive the machine.
pub(crate) unsafe fn guard(lua: *mut lua_State, deadline: &Deadline) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushlightuserdata(lua, std::ptr::from_ref(deadline).cast_mut().cast());
        ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, DEADLINE.as_ptr());
        if ffi::luaL_loadbuffer(lua, XPCALL.as_ptr(), XPCALL.to_bytes().len(), c"=polyplug".as_ptr()) != ffi::LUA_OK {
            ffi::lua_error(lua);
        }
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"xpcall".as_ptr());
        ffi::lua_pushcclosure(lua, is_over, 0);
        ffi::lua_call(lua, 2, 1);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, c"xpcall".as_ptr());
    }
}

/// The deadline of a machine.
unsafe fn deadline<'a>(lua: *mut lua_State) -> &'a Deadline {
    // SAFETY: `guard` put it there, and it outlives the machine.
    unsafe {
        ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, DEADLINE.as_ptr());
        let deadline = ffi::lua_touserdata(lua, -1).cast::<Deadline>();
        ffi::lua_settop(lua, -2);
        &*deadline
    }
}

unsafe extern "C-unwind" fn is_over(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it, with room for a few values.
    unsafe { ffi::lua_pushboolean(lua, deadline(lua).is_over().into()) };
    1
}

/// Ends what runs for too long.
unsafe extern "C-unwind" fn look(state: *mut lua_State, _: *mut lua_Debug) {
    // SAFETY: Lua calls its hooks with a valid machine, in which an error may be raised.
    unsafe {
        if deadline(state).is_over() {
            // From now on at each instruction: code that catches errors must not go on.
            ffi::lua_sethook(state, Some(look), ffi::LUA_MASKCOUNT, 1);
            ffi::luaL_error(state, c"the call takes too long".as_ptr());
        }
    }
}
