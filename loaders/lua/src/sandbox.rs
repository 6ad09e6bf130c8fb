//! What a bundle gets of Lua's standard library.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};

use crate::state::State;
use crate::stdlib::StdLib;
use crate::text::text_at;

/// The basic functions that read files, or change what others rely on.
const UNSAFE_GLOBALS: [&CStr; 5] = [c"dofile", c"loadfile", c"getfenv", c"setfenv", c"newproxy"];

/// What stays of `os`.
const SAFE_OS: [&CStr; 4] = [c"clock", c"date", c"difftime", c"time"];

/// Opens what `stdlib` says. May raise an error.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn open(lua: *mut lua_State, stdlib: StdLib) {
    // SAFETY: the caller's promise.
    unsafe {
        if stdlib == StdLib::Full {
            ffi::luaL_openlibs(lua);
            replace_print(lua);
            return;
        }
        let safe: [(ffi::lua_CFunction, &CStr); 7] = [
            (ffi::luaopen_base, c""),
            (ffi::luaopen_table, ffi_name(ffi::LUA_TABLIBNAME)),
            (ffi::luaopen_os, ffi_name(ffi::LUA_OSLIBNAME)),
            (ffi::luaopen_string, ffi_name(ffi::LUA_STRLIBNAME)),
            (ffi::luaopen_math, ffi_name(ffi::LUA_MATHLIBNAME)),
            (ffi::luaopen_bit, ffi_name(ffi::LUA_BITLIBNAME)),
            // Switches the compiler on. What it offers to programs goes.
            (ffi::luaopen_jit, ffi_name(ffi::LUA_JITLIBNAME)),
        ];
        for (open, name) in safe {
            ffi::lua_pushcclosure(lua, open, 0);
            ffi::lua_pushstring(lua, name.as_ptr());
            ffi::lua_call(lua, 1, 0);
        }
        for name in UNSAFE_GLOBALS.into_iter().chain([c"jit"]) {
            clear(lua, ffi::LUA_GLOBALSINDEX, name);
        }
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"string".as_ptr());
        clear(lua, -1, c"dump");
        ffi::lua_settop(lua, -2);

        ffi::lua_createtable(lua, 0, 4);
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"os".as_ptr());
        for name in SAFE_OS {
            ffi::lua_getfield(lua, -1, name.as_ptr());
            ffi::lua_setfield(lua, -3, name.as_ptr());
        }
        ffi::lua_settop(lua, -2);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, c"os".as_ptr());

        set(lua, c"load", load);
        set(lua, c"loadstring", load);
        replace_print(lua);
    }
}

/// The name of a library.
unsafe fn ffi_name<'a>(name: *const std::ffi::c_char) -> &'a CStr {
    // SAFETY: one of the bindings' constants.
    unsafe { CStr::from_ptr(name) }
}

unsafe fn clear(lua: *mut lua_State, table: c_int, name: &CStr) {
    let table = if table < 0 && table > ffi::LUA_REGISTRYINDEX { table - 1 } else { table };
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushnil(lua);
        ffi::lua_setfield(lua, table, name.as_ptr());
    }
}

unsafe fn set(lua: *mut lua_State, name: &CStr, function: ffi::lua_CFunction) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushcclosure(lua, function, 0);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, name.as_ptr());
    }
}

unsafe fn replace_print(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe { set(lua, c"print", print) }
}

/// `load(text, name, mode, env)`: as Lua's own, for text only. A byte code that was tampered with can do anything.
unsafe extern "C-unwind" fn load(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe {
        if ffi::lua_type(lua, 1) == ffi::LUA_TFUNCTION {
            // The pieces, put together.
            ffi::lua_pushstring(lua, c"".as_ptr());
            loop {
                ffi::lua_pushvalue(lua, 1);
                ffi::lua_call(lua, 0, 1);
                if ffi::lua_type(lua, -1) != ffi::LUA_TSTRING || ffi::lua_objlen(lua, -1) == 0 {
                    ffi::lua_settop(lua, -2);
                    break;
                }
                ffi::lua_concat(lua, 2);
            }
            ffi::lua_replace(lua, 1);
        }
        let mut len = 0;
        let text = ffi::luaL_checklstring(lua, 1, &raw mut len);
        let name =
            if ffi::lua_type(lua, 2) == ffi::LUA_TSTRING { ffi::lua_tostring(lua, 2) } else { c"=(load)".as_ptr() };
        // Of the modes that were asked for, text is left; of none, nothing.
        let wants_text = ffi::lua_type(lua, 3) != ffi::LUA_TSTRING || text_at(lua, 3).contains('t');
        let mode = if wants_text { c"t" } else { c"" };
        if ffi::luaL_loadbufferx(lua, text, len, name, mode.as_ptr()) != ffi::LUA_OK {
            ffi::lua_pushnil(lua);
            ffi::lua_insert(lua, -2);
            return 2;
        }
        if ffi::lua_type(lua, 4) == ffi::LUA_TTABLE {
            ffi::lua_pushvalue(lua, 4);
            ffi::lua_setfenv(lua, -2);
        }
    }
    1
}

/// `print(..)`: to the host's log. Standard output is the host's own.
unsafe extern "C-unwind" fn print(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe {
        let count = ffi::lua_gettop(lua);
        for i in 1..=count {
            if i > 1 {
                ffi::lua_pushstring(lua, c"\t".as_ptr());
            }
            ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"tostring".as_ptr());
            ffi::lua_pushvalue(lua, i);
            ffi::lua_call(lua, 1, 1);
        }
        if count > 0 {
            ffi::lua_concat(lua, count * 2 - 1);
        } else {
            ffi::lua_pushstring(lua, c"".as_ptr());
        }
        let mut len = 0;
        let text = ffi::luaL_checklstring(lua, -1, &raw mut len);
        let text = String::from_utf8_lossy(std::slice::from_raw_parts(text.cast::<u8>(), len));
        State::of(lua).guest.log(polyplug::LogLevel::Info, &text);
    }
    0
}
