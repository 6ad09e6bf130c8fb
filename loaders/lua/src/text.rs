//! Text on Lua's stack, and what errors say of values.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};

/// A message without the place in front of it.
pub(crate) fn without_location(message: &str) -> String {
    split_location(message).1
}

/// `main.lua:3: text` as its parts.
pub(crate) fn split_location(message: &str) -> (Option<String>, String) {
    let mut parts = message.splitn(3, ':');
    let (Some(file), Some(line), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
        return (None, message.to_owned());
    };
    let is_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    if !is_line || file.contains(char::is_whitespace) {
        return (None, message.to_owned());
    }
    (Some(format!("{file}:{line}")), text.trim_start().to_owned())
}

/// The string at an index, which must be one.
///
/// # Safety
///
/// The machine must be valid, and the value a string.
pub(crate) unsafe fn text_at(lua: *mut lua_State, index: c_int) -> String {
    let mut len = 0;
    // SAFETY: the caller's promise: a string's bytes stay while it is on the stack.
    let bytes = unsafe {
        let start = ffi::lua_tolstring(lua, index, &raw mut len);
        std::slice::from_raw_parts(start.cast::<u8>(), len)
    };
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many bytes of a string an error shows.
const SHOWN: usize = 100;

/// A value for an error.
///
/// # Safety
///
/// The machine must be valid, and the index too.
pub(crate) unsafe fn describe(lua: *mut lua_State, index: c_int) -> String {
    // SAFETY: the caller's promise.
    unsafe {
        match ffi::lua_type(lua, index) {
            ffi::LUA_TNIL | ffi::LUA_TNONE => "nil".to_owned(),
            ffi::LUA_TBOOLEAN => format!("boolean {}", ffi::lua_toboolean(lua, index) != 0),
            ffi::LUA_TNUMBER => format!("number {}", ffi::lua_tonumber(lua, index)),
            ffi::LUA_TSTRING => {
                let text = text_at(lua, index);
                match text.char_indices().nth(SHOWN) {
                    None => format!("string {text:?}"),
                    Some((end, _)) => format!("string {:?}...", &text[..end]),
                }
            }
            ffi::LUA_TLIGHTUSERDATA if ffi::lua_touserdata(lua, index).is_null() => "polyplug.null".to_owned(),
            other => {
                let name = std::ffi::CStr::from_ptr(ffi::lua_typename(lua, other));
                format!("a {}", name.to_string_lossy())
            }
        }
    }
}
