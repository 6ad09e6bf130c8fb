//! The time limit of a VM: a hook that looks at the clock.
//!
//! The hook finds the [`Deadline`] of its VM in the registry. LuaJIT calls hooks only where code is interpreted, so a
//! VM with a time limit compiles nothing to machine code.

use std::ffi::c_int;
use std::time::Duration;

use mlua::ffi::{self, lua_Debug, lua_State};
use polyplug::engine::Deadline;

use crate::builtin::Builtin;
use crate::registry::Key;

/// The mode `LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF` of `luaJIT_setmode`: everything is interpreted.
const ENGINE_OFF: c_int = 0;

unsafe extern "C-unwind" {
    fn luaJIT_setmode(lua: *mut lua_State, index: c_int, mode: c_int) -> c_int;
}

/// The key in the registry of the address of the VM's deadline.
static DEADLINE: Key = Key::new();

/// A replacement of `xpcall` that leaves out the handler once the time is up. Lua runs the handler of an error that a
/// hook has raised within the hook, where no other hook is called, so a handler could run forever.
static XPCALL: Builtin = Builtin::new(
    b"
local xpcall, is_over = ...
return function(f, handler, ...)
  return xpcall(f, function(value)
    if is_over() then return value end
    return handler(value)
  end, ...)
end
",
);

/// Prepares a VM for time limits. Switches the compiler off and replaces `xpcall`.
///
/// # Safety
///
/// In a protected call, after the standard library was opened, which switches the compiler on. The deadline must
/// outlive the VM.
pub(crate) unsafe fn open(lua: *mut lua_State, deadline: &Deadline) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushlightuserdata(lua, std::ptr::from_ref(deadline).cast_mut().cast());
        ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, DEADLINE.as_ptr());
        luaJIT_setmode(lua, 0, ENGINE_OFF);
        XPCALL.push(lua);
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"xpcall".as_ptr());
        ffi::lua_pushcclosure(lua, is_over, 0);
        ffi::lua_call(lua, 2, 1);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, c"xpcall".as_ptr());
    }
}

/// A call whose time is limited. Dropping the value ends the limit.
pub(crate) struct Timed<'a> {
    lua: *mut lua_State,
    deadline: &'a Deadline,
}

/// The number of VM instructions between two looks at the clock.
const INSTRUCTIONS: c_int = 1000;

/// Starts the time of a call. Returns `None` within a call whose time runs already.
///
/// # Safety
///
/// [`open`] must have prepared the VM with the same deadline. The Lua state must be valid until the returned value is
/// dropped.
#[inline]
pub(crate) unsafe fn begin(lua: *mut lua_State, deadline: &Deadline, limit: Duration) -> Option<Timed<'_>> {
    deadline.begin(limit).then(|| {
        // SAFETY: the caller's promise. The hook finds the deadline that `open` has registered.
        unsafe { ffi::lua_sethook(lua, Some(hook), ffi::LUA_MASKCOUNT, INSTRUCTIONS) };
        Timed { lua, deadline }
    })
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.deadline.end();
        // SAFETY: the Lua state is still valid (the promise of `begin`'s caller).
        unsafe { ffi::lua_sethook(self.lua, None, 0, 0) };
    }
}

/// Returns the deadline of a VM.
///
/// # Safety
///
/// The Lua state must be valid, with room for a value on its stack, and [`open`] must have prepared the VM.
unsafe fn deadline<'a>(lua: *mut lua_State) -> &'a Deadline {
    // SAFETY: `open` has stored the address, and its caller has promised that the deadline outlives the VM.
    unsafe {
        ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, DEADLINE.as_ptr());
        let deadline = ffi::lua_touserdata(lua, -1).cast::<Deadline>();
        ffi::lua_pop(lua, 1);
        &*deadline
    }
}

/// Returns to Lua whether the time is up.
///
/// # Safety
///
/// Lua calls the function, which `open` has made.
unsafe extern "C-unwind" fn is_over(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions with room for `LUA_MINSTACK` values.
    unsafe { ffi::lua_pushboolean(lua, deadline(lua).is_over().into()) };
    1
}

/// Raises an error in a call whose time is up.
///
/// # Safety
///
/// Lua calls the function as a hook that [`begin`] has set.
unsafe extern "C-unwind" fn hook(lua: *mut lua_State, _: *mut lua_Debug) {
    // SAFETY: Lua calls hooks with a valid state, in which an error may be raised.
    unsafe {
        if deadline(lua).is_over() {
            // From now on the hook runs at each instruction, so that code which catches the error does not go on.
            ffi::lua_sethook(lua, Some(hook), ffi::LUA_MASKCOUNT, 1);
            ffi::luaL_error(lua, c"the call takes too long".as_ptr());
        }
    }
}
