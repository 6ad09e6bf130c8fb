//! The function `require`, which finds the module `polyplug` and other files of the bundle.
//!
//! Modules are found in this order: `package.loaded`, `package.preload`, the files of the bundle, `package.loaders`. Files
//! outside of the bundle are not found. With the full standard library, names that the bundle does not have go to Lua's
//! own `require` in place of `package.loaders`.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};
use polyplug::engine::Fault;
use polyplug::loader::Files;

use crate::raise::{Raise, finish};
use crate::registry::{RegistryRefs, take_ref};
use crate::state::State;
use crate::text::{push_text, text_at};

/// Pops the module `polyplug`, adds it to `package.loaded`, and makes `require`.
///
/// # Safety
///
/// In a protected call, with the module at the top of the stack.
pub(crate) unsafe fn open(state: &State, lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushvalue(lua, -1);
        state.refs.set(RegistryRefs { module: take_ref(lua), ..state.refs.get() });
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"package".as_ptr());
        // Upvalue 1: the table of loaded modules, by name.
        ffi::lua_getfield(lua, -1, c"loaded".as_ptr());
        ffi::lua_pushvalue(lua, -3);
        ffi::lua_setfield(lua, -2, c"polyplug".as_ptr());
        // Upvalue 2: the table `package`.
        ffi::lua_pushvalue(lua, -2);
        // Upvalue 3: Lua's own `require`, or nil with the safe part of the standard library.
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"require".as_ptr());
        ffi::lua_pushcclosure(lua, require, 3);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, c"require".as_ptr());
        ffi::lua_pop(lua, 2);
    }
}

/// The result of a search for a module.
enum Found {
    /// The module is loaded, and at the top of the stack.
    Loaded,
    /// The function that makes the module is at the top of the stack.
    Maker,
    /// The bundle does not have the module, and Lua's own `require` has to look.
    Elsewhere,
    /// The bundle does not have the module, and the reason is at the top of the stack.
    Missing,
}

/// Implements `require(name)`.
///
/// # Safety
///
/// Lua calls the function, which [`open`] has made.
unsafe extern "C-unwind" fn require(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack. `find` has dropped all that
    // it held, so errors may be raised.
    unsafe {
        let found = match find(lua) {
            Ok(found) => found,
            Err(error) => return finish(lua, Err(error)),
        };
        match found {
            Found::Loaded => {}
            Found::Elsewhere => {
                ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(3));
                ffi::lua_pushvalue(lua, 1);
                ffi::lua_call(lua, 1, 1);
            }
            Found::Maker => make(lua),
            Found::Missing => {
                ask_loaders(lua);
                make(lua);
            }
        }
    }
    1
}

/// Replaces the function at the top of the stack by the module that it makes, and keeps the module.
///
/// # Safety
///
/// In the C function [`require`], with the module's name at index 1.
unsafe fn make(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_call(lua, 1, 1);
        if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
            // The module may have put itself into the table, as `module` does.
            ffi::lua_pop(lua, 1);
            push_loaded(lua);
        }
        if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
            ffi::lua_pop(lua, 1);
            ffi::lua_pushboolean(lua, 1);
        }
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_pushvalue(lua, -2);
        ffi::lua_rawset(lua, ffi::lua_upvalueindex(1));
    }
}

/// Pushes the loaded module of the name at index 1, or nil.
///
/// # Safety
///
/// In the C function [`require`].
unsafe fn push_loaded(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_rawget(lua, ffi::lua_upvalueindex(1));
    }
}

/// Pushes the table `name` of the table `package` and returns true, or returns false if there is none: a script may have
/// removed it.
///
/// # Safety
///
/// In the C function [`require`].
unsafe fn push_table(lua: *mut lua_State, name: &CStr) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushstring(lua, name.as_ptr());
        ffi::lua_rawget(lua, ffi::lua_upvalueindex(2));
        let is_table = ffi::lua_type(lua, -1) == ffi::LUA_TTABLE;
        if !is_table {
            ffi::lua_pop(lua, 1);
        }
        is_table
    }
}

/// Replaces the reason at the top of the stack by the function that one of the functions in `package.loaders` finds for
/// the name at index 1. Raises the reason as an error if none does.
///
/// # Safety
///
/// In the C function [`require`], holding nothing to be dropped.
unsafe fn ask_loaders(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        let reason = ffi::lua_gettop(lua);
        let mut number = 1;
        while push_table(lua, c"loaders") {
            State::of(lua).time.check(lua);
            ffi::lua_rawgeti(lua, -1, number);
            if ffi::lua_type(lua, -1) != ffi::LUA_TFUNCTION {
                break;
            }
            ffi::lua_pushvalue(lua, 1);
            ffi::lua_call(lua, 1, 1);
            if ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION {
                ffi::lua_replace(lua, reason);
                ffi::lua_settop(lua, reason);
                return;
            }
            ffi::lua_settop(lua, reason);
            number += 1;
        }
        ffi::luaL_where(lua, 1);
        ffi::lua_pushvalue(lua, reason);
        ffi::lua_concat(lua, 2);
        ffi::lua_error(lua);
    }
}

/// Finds the module whose name is the argument of `require`.
///
/// # Errors
///
/// There is no such module, or the module's file does not compile.
///
/// # Safety
///
/// In the C function [`require`].
unsafe fn find(lua: *mut lua_State) -> Result<Found, Raise> {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_settop(lua, 1);
        if ffi::lua_type(lua, 1) != ffi::LUA_TSTRING {
            return Err(Fault::new("`require` takes the name of a module").into());
        }
        let has_own = ffi::lua_type(lua, ffi::lua_upvalueindex(3)) == ffi::LUA_TFUNCTION;
        push_loaded(lua);
        match ffi::lua_type(lua, -1) {
            ffi::LUA_TNIL => {}
            // Lua's own `require` puts a mark where it has begun to load a module.
            ffi::LUA_TLIGHTUSERDATA if has_own => {}
            _ => return Ok(Found::Loaded),
        }
        let is_running = is_running(lua); // may raise an error, so before `name`
        let name = text_at(lua, 1);
        if is_running {
            let reason = format!("the module `{name}` is being loaded: it requires itself, by way of others or not");
            return Err(Fault::new(reason).into());
        }
        if push_table(lua, c"preload") {
            ffi::lua_pushvalue(lua, 1);
            ffi::lua_rawget(lua, -2);
            if ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION {
                return Ok(Found::Maker);
            }
        }
        let located = match State::of(lua).guest.files() {
            Some(files) => locate(files, &name),
            None => Err(format!("there is no module `{name}`: a bundle in memory has no files but its own")),
        };
        let file = match located {
            Ok(located) => located,
            Err(_) if has_own => return Ok(Found::Elsewhere),
            Err(reason) => {
                push_text(lua, &reason);
                return Ok(Found::Missing);
            }
        };
        let state = State::of(lua);
        if !state.may_declare.get() {
            state.guest.check_unchanged(&file)?;
        }
        let text = state.read_program(&file)?;
        let loaded = state.load(lua, &text, &state.chunk_name(&file));
        // The compiler's error is at the top.
        if loaded == ffi::LUA_OK { Ok(Found::Maker) } else { Err(Raise::Top) }
    }
}

/// Returns whether a call of `require` that has not returned yet has the same argument, the name at index 1.
///
/// # Safety
///
/// In the C function [`require`].
unsafe fn is_running(lua: *mut lua_State) -> bool {
    // SAFETY: the caller's promise. The record consists of integers and pointers, for which zeros are valid.
    unsafe {
        let state = State::of(lua);
        let mut frame: ffi::lua_Debug = std::mem::zeroed();
        // Level 0 is the running function.
        if ffi::lua_getstack(lua, 0, &raw mut frame) == 0 || ffi::lua_getinfo(lua, c"f".as_ptr(), &raw mut frame) == 0 {
            return false;
        }
        let this = ffi::lua_gettop(lua);
        let mut is_running = false;
        let mut level = 1;
        // Lua goes through the stack for each level.
        while !is_running && ffi::lua_getstack(lua, level, &raw mut frame) != 0 {
            if level % 64 == 0 {
                state.time.check(lua);
            }
            ffi::lua_getinfo(lua, c"f".as_ptr(), &raw mut frame);
            if ffi::lua_rawequal(lua, -1, this) != 0 && !ffi::lua_getlocal(lua, &raw const frame, 1).is_null() {
                is_running = ffi::lua_rawequal(lua, -1, 1) != 0;
            }
            ffi::lua_settop(lua, this);
            level += 1;
        }
        ffi::lua_settop(lua, this - 1);
        is_running
    }
}

/// Finds the file of a module. Returns its path within the bundle.
///
/// # Errors
///
/// The text of the error, if the bundle has no such file.
fn locate(files: &Files, name: &str) -> Result<String, String> {
    let parts: Vec<_> = name.split('.').collect();
    let is_part = |part: &&str| !part.is_empty() && !part.contains(['/', '\\', ':', '\0']);
    if !parts.iter().all(is_part) {
        return Err(format!("`{name}` is no name of a module: write `folder.file` for folder/file.lua of the bundle"));
    }
    let stem = parts.join("/");
    let tried = [format!("{stem}.lua"), format!("{stem}/init.lua")];
    let Some(file) = tried.iter().find(|file| files.is_file(file)) else {
        return Err(format!("there is no module `{name}`: the bundle has neither {} nor {}", tried[0], tried[1]));
    };
    // A link may lead outside of the bundle.
    if files.check_inside(file).is_err() {
        return Err(format!("the module `{name}` is outside of the bundle: {file} leads there"));
    }
    Ok(file.clone())
}
