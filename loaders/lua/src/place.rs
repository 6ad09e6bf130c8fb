//! The places of functions in the files of a bundle.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};

/// Pops the function at the top of the stack. Returns the function's file and the line where it begins, or `None` for
/// another value, for a C function, and for a function of a text without a file.
///
/// # Safety
///
/// The Lua state must be valid, with a value at the top of the stack.
pub(crate) unsafe fn place_of_function(lua: *mut lua_State) -> Option<String> {
    // SAFETY: the caller's promise. `lua_getinfo` pops the function, fills the fields that `S` selects, and raises no
    // error; the name is a C string that the function's prototype keeps.
    unsafe {
        if ffi::lua_type(lua, -1) != ffi::LUA_TFUNCTION {
            ffi::lua_pop(lua, 1);
            return None;
        }
        ffi::lua_pushvalue(lua, -1); // keeps the prototype, and thereby the name
        let mut info: ffi::lua_Debug = std::mem::zeroed();
        let is_filled: c_int = ffi::lua_getinfo(lua, c">S".as_ptr(), &raw mut info);
        let place = if is_filled == 0 || info.source.is_null() {
            None
        } else {
            let name = CStr::from_ptr(info.source).to_string_lossy();
            name.strip_prefix('@').filter(|_| info.linedefined > 0).map(|file| format!("{file}:{}", info.linedefined))
        };
        ffi::lua_pop(lua, 1);
        place
    }
}
