//! The settings of a bundle as a Lua table, `polyplug.config`.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::Integer;

use crate::int64;
use crate::state::State;
use crate::text::push_text;

/// Pushes a table of settings.
///
/// # Safety
///
/// In a protected call of the state's VM.
pub(crate) unsafe fn push(state: &State, lua: *mut lua_State, table: &toml::Table) {
    // SAFETY: the caller's promise.
    unsafe {
        reserve(lua);
        ffi::lua_createtable(lua, 0, c_int::try_from(table.len()).unwrap_or(0));
        for (key, value) in table {
            push_text(lua, key);
            push_value(state, lua, value);
            ffi::lua_rawset(lua, -3);
        }
    }
}

/// Pushes the value of a setting.
///
/// # Safety
///
/// As for [`push`].
unsafe fn push_value(state: &State, lua: *mut lua_State, value: &toml::Value) {
    // SAFETY: the caller's promise.
    unsafe {
        match value {
            toml::Value::String(text) => push_text(lua, text),
            toml::Value::Integer(number) => int64::push(state, lua, Integer::I64(*number)),
            toml::Value::Float(number) => ffi::lua_pushnumber(lua, *number),
            toml::Value::Boolean(flag) => ffi::lua_pushboolean(lua, (*flag).into()),
            toml::Value::Datetime(time) => push_text(lua, &time.to_string()),
            toml::Value::Table(table) => push(state, lua, table),
            toml::Value::Array(items) => {
                reserve(lua);
                ffi::lua_createtable(lua, c_int::try_from(items.len()).unwrap_or(0), 0);
                for (number, item) in (1..).zip(items) {
                    push_value(state, lua, item);
                    ffi::lua_rawseti(lua, -2, number);
                }
            }
        }
    }
}

/// Makes room on the stack for a level of nesting.
///
/// # Safety
///
/// In a protected call.
unsafe fn reserve(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe { ffi::luaL_checkstack_(lua, 4, c"the settings are nested too deeply".as_ptr()) };
}
