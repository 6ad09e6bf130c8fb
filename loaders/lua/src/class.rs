//! The plugins that a bundle's code declares.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::PluginDecl;

use crate::registry::push_ref;
use crate::text::text_at;

/// A plugin that a call of `polyplug.plugin` has declared.
pub(crate) struct Class {
    pub(crate) contract: String,
    pub(crate) name: Option<String>,
    pub(crate) is_singleton: bool,
    pub(crate) is_stateless: bool,
    /// The file and line of the declaration.
    pub(crate) place: String,
    /// The reference to the table of the methods.
    pub(crate) table: c_int,
}

/// The number of tables that a class may inherit from, one by way of another. A limit is needed because tables may
/// inherit in a circle.
const ANCESTORS: usize = 32;

impl Class {
    /// Lists the methods of the class and returns the declaration for the runtime.
    ///
    /// # Safety
    ///
    /// In a protected call, after the bundle's code has run.
    pub(crate) unsafe fn declared(&self, lua: *mut lua_State) -> PluginDecl {
        let mut methods = Vec::new();
        // SAFETY: the caller's promise.
        unsafe {
            push_ref(lua, self.table);
            let class = ffi::lua_gettop(lua);
            for _ in 0..ANCESTORS {
                add_methods(lua, class, &mut methods);
                // The table that the class inherits from.
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
        PluginDecl {
            contract: self.contract.clone(),
            name: self.name.clone(),
            is_singleton: self.is_singleton,
            is_stateless: self.is_stateless,
            keeps_state: has("save") && has("restore"),
            place: Some(self.place.clone()),
            methods,
            ..PluginDecl::default()
        }
    }
}

/// Adds the names of the functions in a table.
///
/// # Safety
///
/// In a protected call. The value at index `table` must be a table.
unsafe fn add_methods(lua: *mut lua_State, table: c_int, methods: &mut Vec<String>) {
    // SAFETY: the caller's promise. The loop does not change the table, as `lua_next` demands.
    unsafe {
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, table) != 0 {
            if ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION && ffi::lua_type(lua, -2) == ffi::LUA_TSTRING {
                methods.push(text_at(lua, -2));
            }
            ffi::lua_pop(lua, 1);
        }
    }
}
