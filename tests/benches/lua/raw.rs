//! A call of a function in Lua by the C API, under one protected call and without a loader.

use std::ffi::c_int;

use polyplug_lua::mlua::ffi::{self, lua_State};

/// A VM without a loader, and a function in the VM.
pub(crate) struct Raw {
    lua: *mut lua_State,
    function: c_int,
}

impl Raw {
    pub(crate) fn new() -> Self {
        // SAFETY: the VM is new, and this value owns it.
        unsafe {
            let lua = ffi::luaL_newstate();
            ffi::luaL_openlibs(lua);
            let code = c"return function(a, b) return a + b end";
            assert_eq!(ffi::luaL_loadstring(lua, code.as_ptr()), ffi::LUA_OK);
            ffi::lua_call(lua, 0, 1);
            let function = ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX);
            Self { lua, function }
        }
    }

    pub(crate) fn add(&self, a: i32, b: i32) -> i32 {
        // SAFETY: this value owns the VM, and the call is protected.
        unsafe {
            ffi::lua_rawgeti(self.lua, ffi::LUA_REGISTRYINDEX, self.function.into());
            ffi::lua_pushnumber(self.lua, a.into());
            ffi::lua_pushnumber(self.lua, b.into());
            assert_eq!(ffi::lua_pcall(self.lua, 2, 1, 0), ffi::LUA_OK);
            let sum = ffi::lua_tonumber(self.lua, -1);
            ffi::lua_settop(self.lua, -2);
            sum as i32
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: this value owns the VM.
        unsafe { ffi::lua_close(self.lua) };
    }
}
