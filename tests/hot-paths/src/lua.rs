//! Calls of a plugin in Lua, beside mlua and beside the C API under one protected call.

use std::ffi::c_int;
use std::hint::black_box;

use polyplug_lua::mlua::ffi::{self, lua_State};
use polyplug_lua::{LuaLoader, mlua};

use crate::bundle::{self, NAME};
use crate::counted::Side::{Floor, Ours};
use crate::counted::count;
use crate::script;

const CALLS: u32 = 1000;

/// The number of calls that take long each.
const FEW: u32 = 50;

/// Runs the calls.
pub(crate) fn run() {
    let code = include_str!("../../benches/lua/calculator.lua");
    let (_runtime, calc) = script::load(LuaLoader::new(), "lua", "main.lua", code);
    let lua = mlua::Lua::new();
    let by_hand: mlua::Table = lua.load(include_str!("../../benches/lua/by_hand.lua")).eval().expect("the code runs");
    let function = |name: &str| by_hand.get::<mlua::Function>(name).expect("it has it");
    let (add, greet, sum) = (function("add"), function("greet"), function("sum"));
    let raw = Raw::new();
    assert_eq!(raw.add(2, 3), 5);
    let data = bundle::data();

    count("lua add", Ours, CALLS, || calc.add(black_box(2), black_box(3)).expect("it answers"));
    count("lua add", Floor, CALLS, || add.call::<i32>((black_box(2), black_box(3))).expect("it answers"));
    count("lua add, beside lua_pcall", Ours, CALLS, || calc.add(black_box(2), black_box(3)).expect("it answers"));
    count("lua add, beside lua_pcall", Floor, CALLS, || raw.add(black_box(2), black_box(3)));
    count("lua greet", Ours, CALLS, || calc.greet(black_box(NAME)).expect("it answers"));
    count("lua greet", Floor, CALLS, || greet.call::<String>(black_box(NAME)).expect("it answers"));
    count("lua sum", Ours, FEW, || calc.sum(black_box(&data)).expect("it answers"));
    count("lua sum", Floor, FEW, || {
        let data = lua.create_string(black_box(&data)).expect("a string");
        sum.call::<u64>(data).expect("it answers")
    });
}

/// A VM without a loader, and a function in the VM.
struct Raw {
    lua: *mut lua_State,
    function: c_int,
}

impl Raw {
    fn new() -> Self {
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

    fn add(&self, a: i32, b: i32) -> i32 {
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
