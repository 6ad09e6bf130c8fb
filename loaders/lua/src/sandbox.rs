//! The standard library of a bundle.
//!
//! The safe part leaves out what reaches outside of the VM. Two functions are replaced: `load` takes text only, and
//! `print` writes to the host's log. The module `harmless` fills in what libraries expect all the same.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};
use polyplug::engine::stack_left;

use crate::output::Stream;
use crate::state::State;
use crate::stdlib::StdLib;
use crate::text::{bytes_at, text_at};

/// The basic functions that read files or that make values with finalizers. The safe part lacks them.
const UNSAFE_GLOBALS: [&CStr; 3] = [c"dofile", c"loadfile", c"newproxy"];

/// The functions of `os` in the safe part.
const SAFE_OS: [&CStr; 4] = [c"clock", c"date", c"difftime", c"time"];

/// Opens the standard library, or its safe part.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn open(lua: *mut lua_State, stdlib: StdLib) {
    // SAFETY: the caller's promise.
    unsafe {
        if stdlib == StdLib::Full {
            ffi::luaL_openlibs(lua);
            bound_coroutines(lua);
            replace_print(lua);
            return;
        }
        let safe: [(ffi::lua_CFunction, &CStr); 8] = [
            (ffi::luaopen_base, c""),
            (ffi::luaopen_table, library_name(ffi::LUA_TABLIBNAME)),
            (ffi::luaopen_os, library_name(ffi::LUA_OSLIBNAME)),
            (ffi::luaopen_string, library_name(ffi::LUA_STRLIBNAME)),
            (ffi::luaopen_math, library_name(ffi::LUA_MATHLIBNAME)),
            (ffi::luaopen_bit, library_name(ffi::LUA_BITLIBNAME)),
            // `harmless::open` makes another of it.
            (ffi::luaopen_debug, library_name(ffi::LUA_DBLIBNAME)),
            // Opening this library switches the compiler on. Its table is removed below.
            (ffi::luaopen_jit, library_name(ffi::LUA_JITLIBNAME)),
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
        ffi::lua_pop(lua, 1);

        ffi::lua_createtable(lua, 0, 4);
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"os".as_ptr());
        for name in SAFE_OS {
            ffi::lua_getfield(lua, -1, name.as_ptr());
            ffi::lua_setfield(lua, -3, name.as_ptr());
        }
        ffi::lua_pop(lua, 1);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, c"os".as_ptr());

        set_global(lua, c"load", load);
        set_global(lua, c"loadstring", load);
        bound_coroutines(lua);
        replace_print(lua);
    }
}

/// The stack of the thread that is left for a coroutine, which runs on it above the one that resumes it. LuaJIT has no limit on
/// coroutines in each other.
const COROUTINE_STACK: usize = 256 << 10;

/// Lets the functions that make coroutines fail where little stack is left.
///
/// # Safety
///
/// In a protected call, with the library `coroutine` opened.
unsafe fn bound_coroutines(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"coroutine".as_ptr());
        for name in [c"create", c"wrap"] {
            ffi::lua_getfield(lua, -1, name.as_ptr());
            ffi::lua_pushcclosure(lua, make_coroutine, 1);
            ffi::lua_setfield(lua, -2, name.as_ptr());
        }
        ffi::lua_pop(lua, 1);
    }
}

/// Calls the function that it is a closure of, unless little stack is left.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn make_coroutine(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack and room for more.
    unsafe {
        if stack_left().is_some_and(|left| left < COROUTINE_STACK) {
            return ffi::luaL_error(lua, c"stack overflow: coroutines are nested too deeply".as_ptr());
        }
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_insert(lua, 1);
        ffi::lua_call(lua, ffi::lua_gettop(lua) - 1, 1);
        1
    }
}

/// Returns the name of a library.
///
/// # Safety
///
/// `name` must be one of the constants of the bindings.
unsafe fn library_name<'a>(name: *const std::ffi::c_char) -> &'a CStr {
    // SAFETY: the caller's promise: the constants are static C strings.
    unsafe { CStr::from_ptr(name) }
}

/// Removes a field of the table at an index.
///
/// # Safety
///
/// In a protected call. The value at the index must be a table.
unsafe fn clear(lua: *mut lua_State, table: c_int, name: &CStr) {
    let table = if table < 0 && table > ffi::LUA_REGISTRYINDEX { table - 1 } else { table };
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushnil(lua);
        ffi::lua_setfield(lua, table, name.as_ptr());
    }
}

/// Sets a global variable to a C function.
///
/// # Safety
///
/// In a protected call.
unsafe fn set_global(lua: *mut lua_State, name: &CStr, function: ffi::lua_CFunction) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushcclosure(lua, function, 0);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, name.as_ptr());
    }
}

/// Replaces `print`, whose output would go to the host's standard output.
///
/// # Safety
///
/// In a protected call.
unsafe fn replace_print(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe { set_global(lua, c"print", print) }
}

/// Implements `load(text, name, mode, env)` for text only, because byte code that was tampered with can access any
/// memory.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn load(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe {
        let state = State::of(lua);
        if ffi::lua_type(lua, 1) == ffi::LUA_TFUNCTION {
            // The function returns the text in pieces.
            ffi::lua_pushstring(lua, c"".as_ptr());
            loop {
                state.time.check(lua);
                ffi::lua_pushvalue(lua, 1);
                ffi::lua_call(lua, 0, 1);
                if ffi::lua_type(lua, -1) != ffi::LUA_TSTRING || ffi::lua_objlen(lua, -1) == 0 {
                    ffi::lua_pop(lua, 1);
                    break;
                }
                ffi::lua_concat(lua, 2);
            }
            ffi::lua_replace(lua, 1);
        }
        let mut len = 0;
        let text = ffi::luaL_checklstring(lua, 1, &raw mut len);
        let text = std::slice::from_raw_parts(text.cast::<u8>(), len);
        let has_name = ffi::lua_type(lua, 2) == ffi::LUA_TSTRING;
        let name = if has_name { CStr::from_ptr(ffi::lua_tostring(lua, 2)) } else { c"=(load)" };
        let wants_text = ffi::lua_type(lua, 3) != ffi::LUA_TSTRING || text_at(lua, 3).contains('t');
        let code = if wants_text {
            state.load(lua, text, name)
        } else {
            // A mode without text refuses everything, with an error that says so.
            ffi::luaL_loadbufferx(lua, text.as_ptr().cast(), len, name.as_ptr(), c"".as_ptr())
        };
        if code != ffi::LUA_OK {
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

/// Implements `print(..)`: writes to the host's log.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn print(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
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
        let state = State::of(lua);
        // After a line that `io.write` has begun.
        let mut text = state.output.take(Stream::Out);
        text.extend_from_slice(bytes_at(lua, -1));
        state.guest.log(polyplug::LogLevel::Info, &String::from_utf8_lossy(&text));
    }
    0
}
