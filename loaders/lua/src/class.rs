//! Plugins, as a bundle's code declares them.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::Declared;

use crate::registry::push_ref;
use crate::text::text_at;

/// A plugin, as `polyplug.plugin` declared it.
pub(crate) struct Class {
    pub(crate) contract: String,
    pub(crate) name: Option<String>,
    pub(crate) is_singleton: bool,
    /// File and line.
    pub(crate) place: String,
    /// The table of its methods.
    pub(crate) class: c_int,
}

impl Class {
    /// What the common part has to know.
    ///
    /// # Safety
    ///
    /// In a protected call, after the bundle's code has run.
    pub(crate) unsafe fn declared(&self, lua: *mut lua_State) -> Declared {
        let mut methods = Vec::new();
        // SAFETY: the caller's promise; the tables are not changed meanwhile.
        unsafe {
            push_ref(lua, self.class);
            let class = ffi::lua_gettop(lua);
            for _ in 0..ANCESTORS {
                methods_of(lua, class, &mut methods);
                // What it inherits from.
                if ffi::luaL_getmetafield(lua, class, c"__index".as_ptr()) == 0 {
                    break;
                }
                ffi::lua_replace(lua, class);
                if ffi::lua_type(lua, class) != ffi::LUA_TTABLE {
                    break;
                }
            }
            ffi::lua_settop(lua, class - 1);
        }
        let has = |name: &str| methods.iter().any(|method| method == name);
        Declared {
            contract: self.contract.clone(),
            name: self.name.clone(),
            is_singleton: self.is_singleton,
            keeps_state: has("save") && has("restore"),
            place: Some(self.place.clone()),
            methods,
        }
    }
}

/// How many tables a class may inherit from, by way of others. They may go in a circle.
const ANCESTORS: usize = 32;

/// Adds the names of a table's functions.
unsafe fn methods_of(lua: *mut lua_State, table: c_int, methods: &mut Vec<String>) {
    // SAFETY: the caller's promise; the table is not changed meanwhile.
    unsafe {
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, table) != 0 {
            if ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION && ffi::lua_type(lua, -2) == ffi::LUA_TSTRING {
                methods.push(text_at(lua, -2));
            }
            ffi::lua_settop(lua, -2);
        }
    }
}
