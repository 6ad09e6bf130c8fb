//! The module that `require("polyplug")` returns.

use std::ffi::{CStr, c_int};
use std::path::Path;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{Fault, ImportedObject};

use crate::class::Class;
use crate::raise::{Raise, finish, raise_declared};
use crate::registry::{release, take_ref};
use crate::state::State;
use crate::text::{describe, push_bytes, push_text, text_argument, text_at};
use crate::vm::LuaEngine;
use crate::{config, remote, types, unload};

/// Pushes the module.
///
/// # Safety
///
/// In a protected call of the state's VM.
pub(crate) unsafe fn push(state: &State, lua: *mut lua_State) {
    let functions: [(&CStr, ffi::lua_CFunction); 8] = [
        (c"plugin", plugin),
        (c"host", host),
        (c"peer", peer),
        (c"types", contract_types),
        (c"log", log),
        (c"on_unload", on_unload),
        (c"data_directory", data_directory),
        (c"raise", raise),
    ];
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 13);
        for (name, function) in functions {
            ffi::lua_pushcclosure(lua, function, 0);
            ffi::lua_setfield(lua, -2, name.as_ptr());
        }
        ffi::lua_pushlightuserdata(lua, std::ptr::null_mut());
        ffi::lua_setfield(lua, -2, c"null".as_ptr());
        push_text(lua, state.guest.bundle());
        ffi::lua_setfield(lua, -2, c"bundle".as_ptr());
        if let Some(directory) = state.guest.directory() {
            push_path(lua, directory);
            ffi::lua_setfield(lua, -2, c"directory".as_ptr());
        }
        config::push(state, lua, state.guest.config());
        ffi::lua_setfield(lua, -2, c"config".as_ptr());
    }
}

/// Implements `plugin(contract, options)`: declares a plugin and returns the table for its methods.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn plugin(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe { finish(lua, declare(lua)) }
}

/// Does the work of [`plugin`].
///
/// # Safety
///
/// In a C function that Lua has called.
unsafe fn declare(lua: *mut lua_State) -> Result<c_int, Raise> {
    // SAFETY: the caller's promise.
    unsafe {
        let state = State::of(lua);
        let contract = text_argument(lua, 1, "the name of a contract, such as \"demo.calculator@1\",")?;
        if !state.may_declare.get() {
            return Err(Fault::new("plugins are declared while their bundle is being loaded, not later").into());
        }
        let Options { name, is_singleton, is_stateless } = options(lua)?;
        ffi::luaL_where(lua, 1);
        let place = state.chunks.with_files(text_at(lua, -1)).trim_end_matches([':', ' ']).to_owned();
        ffi::lua_createtable(lua, 0, 8);
        ffi::lua_pushvalue(lua, -1);
        let table = take_ref(lua);
        state.classes.borrow_mut().push(Class { contract, name, is_singleton, is_stateless, place, table });
    }
    Ok(1)
}

/// The options of a plugin.
#[derive(Default)]
struct Options {
    name: Option<String>,
    is_singleton: bool,
    is_stateless: bool,
}

/// Reads the options of a plugin, argument 2.
///
/// # Safety
///
/// In a C function that Lua has called.
unsafe fn options(lua: *mut lua_State) -> Result<Options, Fault> {
    let mut options = Options::default();
    // SAFETY: the caller's promise. The loop does not change the table, as `lua_next` demands.
    unsafe {
        ffi::lua_settop(lua, 2);
        match ffi::lua_type(lua, 2) {
            ffi::LUA_TNIL => return Ok(options),
            ffi::LUA_TTABLE => {}
            _ => {
                let found = describe(lua, 2);
                return Err(Fault::new(format_args!("options are expected as a table, not as {found}")));
            }
        }
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, 2) != 0 {
            let key = match ffi::lua_type(lua, 3) {
                ffi::LUA_TSTRING => text_at(lua, 3),
                _ => describe(lua, 3),
            };
            match (key.as_str(), ffi::lua_type(lua, 4)) {
                ("name", ffi::LUA_TSTRING) => options.name = Some(text_at(lua, 4)),
                ("singleton", ffi::LUA_TBOOLEAN) => options.is_singleton = ffi::lua_toboolean(lua, 4) != 0,
                ("stateless", ffi::LUA_TBOOLEAN) => options.is_stateless = ffi::lua_toboolean(lua, 4) != 0,
                (option @ ("name" | "singleton" | "stateless"), _) => {
                    let expected = if option == "name" { "a string" } else { "true or false" };
                    let found = describe(lua, 4);
                    return Err(Fault::new(format_args!("the option `{option}` is {expected}, not {found}")));
                }
                _ => {
                    let known = "there are `name`, `singleton` and `stateless`";
                    return Err(Fault::new(format_args!("there is no option `{key}`: {known}")));
                }
            }
            ffi::lua_settop(lua, 3);
        }
    }
    Ok(options)
}

/// Implements `host(contract)`: returns an object with the methods of a host contract.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn host(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe { finish(lua, open(lua, |state, contract| state.guest.host(contract))) }
}

/// Implements `peer(contract)`: returns an object with the methods of another bundle's plugin.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn peer(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe { finish(lua, open(lua, |state, contract| state.guest.peer(contract))) }
}

/// Does the work of [`host`] and [`peer`].
///
/// # Safety
///
/// In a C function that Lua has called.
unsafe fn open(
    lua: *mut lua_State,
    open: impl FnOnce(&State, &str) -> Result<ImportedObject, Fault>,
) -> Result<c_int, Raise> {
    // SAFETY: the caller's promise.
    unsafe {
        let state = State::of(lua);
        let contract = text_argument(lua, 1, "the name of a contract, such as \"demo.logger@1\",")?;
        let remote = {
            let _switched = state.switch(lua);
            open(state, &contract)?
        };
        let prepared = state.prepared(lua, &remote.schema_and_plan());
        remote::push(lua, &prepared, remote, state.remote_method);
    }
    Ok(1)
}

/// Implements `types(contract)`: returns the makers of the contract's types.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn contract_types(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe { finish(lua, push_types(lua)) }
}

/// Does the work of [`contract_types`].
///
/// # Safety
///
/// In a C function that Lua has called.
unsafe fn push_types(lua: *mut lua_State) -> Result<c_int, Raise> {
    // SAFETY: the caller's promise.
    unsafe {
        let name = text_argument(lua, 1, "the name of a contract, such as \"demo.calculator@1\",")?;
        let contract = State::of(lua).guest.contract(&name)?;
        types::push(lua, &contract.schema);
    }
    Ok(1)
}

/// Implements `log(level, message)`: writes to the host's log.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn log(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe { finish(lua, write_log(lua)) }
}

/// Does the work of [`log`].
///
/// # Safety
///
/// In a C function that Lua has called.
unsafe fn write_log(lua: *mut lua_State) -> Result<c_int, Raise> {
    // SAFETY: the caller's promise.
    let (state, level, message) = unsafe {
        let level = text_argument(lua, 1, "a level (\"error\", \"warn\", \"info\", \"debug\" or \"trace\")")?;
        (State::of(lua), level, text_argument(lua, 2, "a message")?)
    };
    state.guest.log_at(&level, &message)?;
    Ok(0)
}

/// Implements `on_unload(f)`: registers a function that runs before the bundle is unloaded. Returns the function.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn on_unload(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe { finish(lua, keep_for_unload(lua)) }
}

/// Does the work of [`on_unload`].
///
/// # Safety
///
/// In a C function that Lua has called.
unsafe fn keep_for_unload(lua: *mut lua_State) -> Result<c_int, Raise> {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_settop(lua, 1);
        if ffi::lua_type(lua, 1) != ffi::LUA_TFUNCTION {
            let found = describe(lua, 1);
            return Err(Fault::new(format_args!("on_unload: a function is expected, not {found}")).into());
        }
        ffi::lua_pushvalue(lua, 1);
        let function = take_ref(lua);
        let run = move |engine: &LuaEngine| unload::run(&engine.state, function);
        let registered = State::of(lua).guest.on_unload_in(run);
        registered.inspect_err(|_| release(lua, function))?;
    }
    Ok(1)
}

/// Implements `data_directory()`: returns the folder in which the bundle keeps its data.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn data_directory(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe { finish(lua, push_data_directory(lua)) }
}

/// Does the work of [`data_directory`].
///
/// # Safety
///
/// In a C function that Lua has called.
unsafe fn push_data_directory(lua: *mut lua_State) -> Result<c_int, Raise> {
    // SAFETY: the caller's promise.
    unsafe { push_path(lua, State::of(lua).guest.data_directory()?) };
    Ok(1)
}

/// Pushes a path as a string.
///
/// # Safety
///
/// In a protected call, with room for a value on the stack.
unsafe fn push_path(lua: *mut lua_State, path: &Path) {
    // SAFETY: the caller's promise.
    unsafe { push_bytes(lua, path.as_os_str().as_encoded_bytes()) };
}

/// Implements `raise(value)`: ends the method with the error that its contract declares.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn raise(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe { raise_declared(lua) }
}
