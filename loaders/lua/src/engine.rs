//! A bundle's machine, as the runtime uses it.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};
use polyplug::Version;
use polyplug::engine::{Engine, Fault, Incoming, KnownContract};

use crate::call::{call_any, call_short};
use crate::protect::protect;
use crate::registry::{push_ref, take_ref};
use crate::stack::EXACT;

use crate::text::describe;
use crate::vm::{Code, LuaEngine, Method, SMALL, Way, way};

impl LuaEngine {
    fn code(&self, plugin: usize) -> &Code {
        self.plugins[plugin].get().expect("a plugin is prepared before it is used")
    }

    /// Makes an instance, and leaves it on the stack.
    unsafe fn new_instance(&self, lua: *mut lua_State, code: &Code) {
        // SAFETY: in a protected call (the caller's promise).
        unsafe {
            ffi::lua_createtable(lua, 0, 4);
            push_ref(lua, code.metatable);
            ffi::lua_setmetatable(lua, -2);
            if let Some(init) = code.init {
                push_ref(lua, init);
                ffi::lua_pushvalue(lua, -2);
                push_ref(lua, self.state.refs.get().module);
                ffi::lua_call(lua, 2, 0);
            }
        }
    }
}

/// Takes the field of the table at the top, if it is a function.
unsafe fn function(lua: *mut lua_State, name: &CStr) -> Option<c_int> {
    // SAFETY: in a protected call (the caller's promise).
    unsafe {
        ffi::lua_getfield(lua, -1, name.as_ptr());
        if ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION {
            return Some(take_ref(lua));
        }
        ffi::lua_settop(lua, -2);
        None
    }
}

impl Engine for LuaEngine {
    type Object = c_int;

    fn prepare(&self, plugin: usize, contract: &KnownContract) -> Result<(), Fault> {
        let class = self.state.classes.borrow()[plugin].class;
        let code = protect(&self.state, |lua| {
            // SAFETY: in a protected call.
            unsafe {
                let of = self.state.prepared(lua, contract);
                push_ref(lua, class);
                let mut methods = Vec::new();
                for (method, plan) in contract.schema.methods.iter().zip(contract.plan.methods()) {
                    ffi::lua_pushlstring(lua, method.name.as_ptr().cast(), method.name.len());
                    ffi::lua_gettable(lua, -2);
                    let function = take_ref(lua);
                    methods.push(Method { function, way: way(&contract.plan, plan) });
                }
                let (init, save, restore) = (function(lua, c"init"), function(lua, c"save"), function(lua, c"restore"));
                ffi::lua_createtable(lua, 0, 1);
                ffi::lua_insert(lua, -2);
                ffi::lua_setfield(lua, -2, c"__index".as_ptr());
                let metatable = take_ref(lua);
                Ok(Code { of, methods, metatable, init, save, restore })
            }
        })?;
        let _ = self.plugins[plugin].set(code);
        Ok(())
    }

    fn create(&self, plugin: usize) -> Result<c_int, Fault> {
        let _timed = self.state.timed();
        protect(&self.state, |lua| {
            // SAFETY: in a protected call.
            unsafe {
                self.new_instance(lua, self.code(plugin));
                Ok(take_ref(lua))
            }
        })
    }

    fn end(&self, object: c_int) {
        self.state.forget(object);
    }

    #[inline]
    fn call(&self, plugin: usize, instance: &c_int, call: &Incoming<'_>) -> Result<(), Fault> {
        let code = self.code(plugin);
        let method = &code.methods[call.number()];
        let _timed = self.state.timed();
        let is_short = match method.way {
            Way::Plain => true,
            Way::Short => self.state.is_lenient && call.is_small(SMALL, EXACT),
            Way::Any => false,
        };
        if is_short {
            return call_short(&self.state, code, method, *instance, call);
        }
        call_any(&self.state, &code.of, call, |lua| {
            // SAFETY: in a protected call.
            unsafe {
                push_ref(lua, method.function);
                push_ref(lua, *instance);
            }
            Ok(1)
        })
    }

    fn call_object(&self, _: u32, object: &c_int, of: &KnownContract, call: &Incoming<'_>) -> Result<(), Fault> {
        let _timed = self.state.timed();
        // SAFETY: in a protected call.
        let prepared = protect(&self.state, |lua| Ok(unsafe { self.state.prepared(lua, of) }))?;
        call_any(&self.state, &prepared, call, |lua| {
            // SAFETY: in a protected call.
            unsafe {
                push_ref(lua, *object);
                if ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION {
                    return Ok(0);
                }
                let name = &call.method().name;
                ffi::lua_pushlstring(lua, name.as_ptr().cast(), name.len());
                ffi::lua_gettable(lua, -2);
                if ffi::lua_type(lua, -1) != ffi::LUA_TFUNCTION {
                    return Err(Fault::new(format_args!("the object has no method `{name}`")));
                }
                ffi::lua_insert(lua, -2);
            }
            Ok(1)
        })
    }

    fn save(&self, plugin: usize, instance: &c_int) -> Result<Vec<u8>, Fault> {
        let _timed = self.state.timed();
        let save = self.code(plugin).save.ok_or_else(|| Fault::new("the plugin has no method `save`"))?;
        protect(&self.state, |lua| {
            // SAFETY: in a protected call.
            unsafe {
                push_ref(lua, save);
                push_ref(lua, *instance);
                ffi::lua_call(lua, 1, 1);
                if ffi::lua_type(lua, -1) != ffi::LUA_TSTRING {
                    let found = describe(lua, -1);
                    return Err(Fault::new(format_args!("save: a string is expected, not {found}")));
                }
                let mut len = 0;
                let start = ffi::lua_tolstring(lua, -1, &raw mut len);
                Ok(std::slice::from_raw_parts(start.cast::<u8>(), len).to_vec())
            }
        })
    }

    fn restore(&self, plugin: usize, snapshot: &[u8], from: Version) -> Result<c_int, Fault> {
        let _timed = self.state.timed();
        let code = self.code(plugin);
        let restore = code.restore.ok_or_else(|| Fault::new("the plugin has no method `restore`"))?;
        let from = format!("{}.{}.{}", from.major, from.minor, from.patch);
        protect(&self.state, |lua| {
            // SAFETY: in a protected call.
            unsafe {
                self.new_instance(lua, code);
                push_ref(lua, restore);
                ffi::lua_pushvalue(lua, -2);
                ffi::lua_pushlstring(lua, snapshot.as_ptr().cast(), snapshot.len());
                ffi::lua_pushlstring(lua, from.as_ptr().cast(), from.len());
                ffi::lua_call(lua, 3, 0);
                Ok(take_ref(lua))
            }
        })
    }

    fn memory(&self) -> Option<u64> {
        Some(self.state.memory())
    }
}
