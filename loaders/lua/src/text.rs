//! Text on the stack of a Lua state, and descriptions of values for error messages.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};
use polyplug::engine::Fault;

/// Pushes text as a string.
///
/// # Safety
///
/// In a protected call, with room for a value on the stack.
pub(crate) unsafe fn push_text(lua: *mut lua_State, text: &str) {
    // SAFETY: the caller's promise.
    unsafe { push_bytes(lua, text.as_bytes()) };
}

/// Pushes bytes as a string.
///
/// # Safety
///
/// As for [`push_text`].
#[inline]
pub(crate) unsafe fn push_bytes(lua: *mut lua_State, bytes: &[u8]) {
    // SAFETY: the caller's promise. Lua copies the bytes.
    unsafe { ffi::lua_pushlstring_(lua, bytes.as_ptr().cast(), bytes.len()) };
}

/// Returns the bytes of the string at an index.
///
/// # Safety
///
/// The Lua state must be valid. The value at the index must be a string, and stay on the stack while the bytes are
/// used.
pub(crate) unsafe fn bytes_at<'a>(lua: *mut lua_State, index: c_int) -> &'a [u8] {
    let mut len = 0;
    // SAFETY: the caller's promise. Lua does not move the bytes of a string.
    unsafe {
        let start = ffi::lua_tolstring(lua, index, &raw mut len);
        std::slice::from_raw_parts(start.cast::<u8>(), len)
    }
}

/// Returns the string at an index as text, with replacement characters for bytes that are not UTF-8.
///
/// # Safety
///
/// The Lua state must be valid, and the value at the index a string.
pub(crate) unsafe fn text_at(lua: *mut lua_State, index: c_int) -> String {
    // SAFETY: the caller's promise. The value stays on the stack until the copy is made.
    String::from_utf8_lossy(unsafe { bytes_at(lua, index) }).into_owned()
}

/// Returns argument `index` of a C function as text.
///
/// # Errors
///
/// The argument is not a string. The error says that `what` is expected.
///
/// # Safety
///
/// The Lua state must be valid.
pub(crate) unsafe fn text_argument(lua: *mut lua_State, index: c_int, what: &str) -> Result<String, Fault> {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::lua_type(lua, index) == ffi::LUA_TSTRING {
            return Ok(text_at(lua, index));
        }
        Err(Fault::new(format_args!("{what} is expected, not {}", describe(lua, index))))
    }
}

/// Returns a message without the location in front of the text.
pub(crate) fn without_location(message: &str) -> String {
    split_location(message).1
}

/// Splits a message such as `main.lua:3: text` into location and text.
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

/// The number of characters of a string that an error shows.
const SHOWN: usize = 100;

/// Describes the value at an index for an error message.
///
/// # Safety
///
/// The Lua state must be valid, and the index too.
pub(crate) unsafe fn describe(lua: *mut lua_State, index: c_int) -> String {
    // SAFETY: the caller's promise. The name of a type is a static C string.
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
                let name = CStr::from_ptr(ffi::lua_typename(lua, other));
                format!("a {}", name.to_string_lossy())
            }
        }
    }
}

/// Describes a table's key at an index as it is written in Lua: `x` in backquotes, `0`, `true`.
///
/// # Safety
///
/// The Lua state must be valid, and the index too.
pub(crate) unsafe fn describe_key(lua: *mut lua_State, index: c_int) -> String {
    // SAFETY: the caller's promise.
    unsafe {
        match ffi::lua_type(lua, index) {
            ffi::LUA_TNUMBER => ffi::lua_tonumber(lua, index).to_string(),
            ffi::LUA_TSTRING => {
                let text = text_at(lua, index);
                match text.char_indices().nth(SHOWN) {
                    None => format!("`{text}`"),
                    Some((end, _)) => format!("`{}...`", &text[..end]),
                }
            }
            _ => describe(lua, index),
        }
    }
}
