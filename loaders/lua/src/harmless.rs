//! Harmless forms of what popular libraries touch, in place of what the safe part of the standard library leaves out.
//!
//! `package`, `io` and `debug` exist, and lead to no file, no other program and no memory: see `harmless.lua`.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};

use crate::builtin::Builtin;
use crate::output::Stream;
use crate::state::State;
use crate::text::bytes_at;

/// The program that makes the tables.
static PROGRAM: Builtin = Builtin::new(include_bytes!("harmless.lua"));

/// Replaces the library `debug`, which must be open, and makes `package`, `io` and the rest.
///
/// # Safety
///
/// In a protected call of the state's VM, after the safe part of the standard library was opened.
pub(crate) unsafe fn open(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        PROGRAM.push(lua);
        ffi::lua_pushcclosure(lua, write, 0);
        ffi::lua_pushcclosure(lua, flush, 0);
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"debug".as_ptr());
        ffi::lua_getfield(lua, -1, c"traceback".as_ptr());
        ffi::lua_getfield(lua, -2, c"getinfo".as_ptr());
        ffi::lua_getfield(lua, -3, c"setmetatable".as_ptr());
        ffi::lua_remove(lua, -4);
        ffi::lua_pushboolean(lua, cfg!(windows).into());
        ffi::lua_call(lua, 6, 0);
    }
}

/// Returns the stream that argument 1 chooses: the one for errors if the argument is true.
///
/// # Safety
///
/// In a C function that Lua has called.
unsafe fn stream(lua: *mut lua_State) -> Stream {
    // SAFETY: the caller's promise.
    if unsafe { ffi::lua_toboolean(lua, 1) } != 0 { Stream::Error } else { Stream::Out }
}

/// Implements `write(is_error, text)`: writes to a standard stream.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn write(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe {
        let state = State::of(lua);
        if ffi::lua_type(lua, 2) == ffi::LUA_TSTRING {
            state.output.write(&state.guest, stream(lua), bytes_at(lua, 2));
        }
    }
    0
}

/// Implements `flush(is_error)`: logs the line of a standard stream that has not ended.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn flush(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe {
        let state = State::of(lua);
        state.output.flush(&state.guest, stream(lua));
    }
    0
}
