//! The engine of a bundle as the runtime uses it: makes instances, calls methods, and carries state over a reload.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};
use polyplug::Version;
use polyplug::engine::{Engine, Fault, IncomingCall, KnownContract};

use crate::call::{call_fast, call_protected};
use crate::int64::MAX_EXACT;
use crate::place::place_of_function;
use crate::protect::protect;
use crate::registry::{push_ref, take_ref};
use crate::text::{bytes_at, describe, push_bytes, push_text};
use crate::vm::{CallPath, LuaEngine, Method, PluginCode, SMALL};

impl Engine for LuaEngine {
    type Object = c_int;

    fn prepare(&self, plugin: usize, contract: &KnownContract) -> Result<(), Fault> {
        let class = self.state.classes.borrow()[plugin].table;
        let code = protect(&self.state, |lua| {
            // SAFETY: `protect` runs this closure in a protected call.
            unsafe {
                let prepared = self.state.prepared(lua, contract);
                push_ref(lua, class);
                let mut methods = Vec::new();
                for (method, plan) in contract.schema.methods.iter().zip(contract.plan.methods()) {
                    push_text(lua, &method.name);
                    ffi::lua_gettable(lua, -2);
                    let function = take_ref(lua);
                    methods.push(Method { function, path: CallPath::of(&contract.plan, plan) });
                }
                let init = take_function(lua, c"init");
                let save = take_function(lua, c"save");
                let restore = take_function(lua, c"restore");
                ffi::lua_createtable(lua, 0, 1);
                ffi::lua_insert(lua, -2);
                ffi::lua_setfield(lua, -2, c"__index".as_ptr());
                let metatable = take_ref(lua);
                Ok(PluginCode { prepared, methods, metatable, init, save, restore })
            }
        })?;
        let _ = self.plugins[plugin].set(code);
        Ok(())
    }

    fn create(&self, plugin: usize) -> Result<c_int, Fault> {
        let _timed = self.state.timed();
        protect(&self.state, |lua| {
            // SAFETY: `protect` runs this closure in a protected call.
            unsafe {
                self.push_instance(lua, self.code(plugin));
                Ok(take_ref(lua))
            }
        })
    }

    fn end(&self, object: c_int) {
        self.state.release(object);
    }

    #[inline]
    fn call(&self, plugin: usize, instance: &c_int, call: &IncomingCall<'_>) -> Result<(), Fault> {
        let code = self.code(plugin);
        let method = code.methods[call.number()];
        let _timed = self.state.timed();
        let is_fast = match method.path {
            CallPath::Scalars => true,
            CallPath::Small => self.state.may_push_unprotected && call.is_small(SMALL, MAX_EXACT),
            CallPath::General => false,
        };
        if is_fast {
            return call_fast(&self.state, code, method, *instance, call);
        }
        call_protected(&self.state, &code.prepared, call, |lua| {
            // SAFETY: `call_protected` runs this closure in a protected call.
            unsafe {
                push_ref(lua, method.function);
                push_ref(lua, *instance);
            }
            Ok(1)
        })
    }

    fn call_object(&self, _: u32, object: &c_int, of: &KnownContract, call: &IncomingCall<'_>) -> Result<(), Fault> {
        let _timed = self.state.timed();
        // SAFETY: `protect` runs this closure in a protected call.
        let prepared = protect(&self.state, |lua| Ok(unsafe { self.state.prepared(lua, of) }))?;
        call_protected(&self.state, &prepared, call, |lua| {
            // SAFETY: `call_protected` runs this closure in a protected call.
            unsafe {
                push_ref(lua, *object);
                if ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION {
                    return Ok(0);
                }
                let name = &call.method().name;
                push_text(lua, name);
                ffi::lua_gettable(lua, -2);
                if ffi::lua_type(lua, -1) != ffi::LUA_TFUNCTION {
                    return Err(Fault::new(format_args!("the object has no method `{name}`")));
                }
                ffi::lua_insert(lua, -2);
            }
            Ok(1)
        })
    }

    fn place(&self, plugin: usize, _: &c_int, call: &IncomingCall<'_>) -> Option<String> {
        let function = self.code(plugin).methods[call.number()].function;
        let place = protect(&self.state, |lua| {
            // SAFETY: `protect` runs this closure in a protected call.
            unsafe {
                push_ref(lua, function);
                Ok(place_of_function(lua))
            }
        });
        place.ok().flatten()
    }

    fn object_place(&self, object: &c_int, call: &IncomingCall<'_>) -> Option<String> {
        let place = protect(&self.state, |lua| {
            // SAFETY: `protect` runs this closure in a protected call.
            unsafe {
                push_ref(lua, *object);
                if ffi::lua_type(lua, -1) != ffi::LUA_TFUNCTION {
                    push_text(lua, &call.method().name);
                    ffi::lua_gettable(lua, -2);
                }
                Ok(place_of_function(lua))
            }
        });
        place.ok().flatten()
    }

    fn save(&self, plugin: usize, instance: &c_int) -> Result<Vec<u8>, Fault> {
        let _timed = self.state.timed();
        let save = self.code(plugin).save.ok_or_else(|| Fault::new("the plugin has no method `save`"))?;
        protect(&self.state, |lua| {
            // SAFETY: `protect` runs this closure in a protected call.
            unsafe {
                push_ref(lua, save);
                push_ref(lua, *instance);
                ffi::lua_call(lua, 1, 1);
                if ffi::lua_type(lua, -1) != ffi::LUA_TSTRING {
                    let found = describe(lua, -1);
                    return Err(Fault::new(format_args!("save: a string is expected, not {found}")));
                }
                Ok(bytes_at(lua, -1).to_vec())
            }
        })
    }

    fn restore(&self, plugin: usize, snapshot: &[u8], from: Version) -> Result<c_int, Fault> {
        let _timed = self.state.timed();
        let code = self.code(plugin);
        let restore = code.restore.ok_or_else(|| Fault::new("the plugin has no method `restore`"))?;
        let from = format!("{}.{}.{}", from.major, from.minor, from.patch);
        protect(&self.state, |lua| {
            // SAFETY: `protect` runs this closure in a protected call.
            unsafe {
                self.push_instance(lua, code);
                push_ref(lua, restore);
                ffi::lua_pushvalue(lua, -2);
                push_bytes(lua, snapshot);
                push_text(lua, &from);
                ffi::lua_call(lua, 3, 0);
                Ok(take_ref(lua))
            }
        })
    }

    fn memory(&self) -> Option<u64> {
        Some(self.state.memory())
    }
}

impl LuaEngine {
    /// Makes an instance, calls its `init`, and pushes the instance.
    ///
    /// # Safety
    ///
    /// In a protected call of the engine's VM.
    unsafe fn push_instance(&self, lua: *mut lua_State, code: &PluginCode) {
        // SAFETY: the caller's promise.
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

/// Returns a reference to a field of the table at the top of the stack, if the field is a function.
///
/// # Safety
///
/// In a protected call, with a table at the top of the stack.
unsafe fn take_function(lua: *mut lua_State, name: &CStr) -> Option<c_int> {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_getfield(lua, -1, name.as_ptr());
        if ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION {
            return Some(take_ref(lua));
        }
        ffi::lua_pop(lua, 1);
        None
    }
}
