//! The function `require`, which finds the module `polyplug` and other files of the bundle.
//!
//! Files outside of the bundle are not found. With the full standard library, names that the bundle does not have go to
//! Lua's own `require`.

use std::ffi::c_int;
use std::path::Path;

use mlua::ffi::{self, lua_State};
use polyplug::engine::Fault;
use polyplug::loader::real_path;

use crate::program;
use crate::raise::{Raise, finish};
use crate::registry::{RegistryRefs, take_ref};
use crate::state::State;
use crate::text::text_at;

/// Pops the module `polyplug` and makes `require`, which knows the module.
///
/// # Safety
///
/// In a protected call, with the module at the top of the stack.
pub(crate) unsafe fn open(state: &State, lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushvalue(lua, -1);
        state.refs.set(RegistryRefs { module: take_ref(lua), ..state.refs.get() });
        // Upvalue 1: the table of loaded modules, by name.
        ffi::lua_createtable(lua, 0, 4);
        ffi::lua_insert(lua, -2);
        ffi::lua_setfield(lua, -2, c"polyplug".as_ptr());
        // Upvalue 2: Lua's own `require`, or nil with the safe part of the standard library.
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"require".as_ptr());
        ffi::lua_pushcclosure(lua, require, 2);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, c"require".as_ptr());
    }
}

/// The result of a search for a module.
enum Found {
    /// The module is loaded, and at the top of the stack.
    Loaded,
    /// The module's file is compiled, and the function at the top of the stack.
    Compiled,
    /// The bundle does not have the module, and Lua's own `require` has to look.
    Elsewhere,
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
                ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(2));
                ffi::lua_pushvalue(lua, 1);
                ffi::lua_call(lua, 1, 1);
            }
            Found::Compiled => {
                ffi::lua_pushvalue(lua, 1);
                ffi::lua_call(lua, 1, 1);
                if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
                    ffi::lua_pop(lua, 1);
                    ffi::lua_pushboolean(lua, 1);
                }
                ffi::lua_pushvalue(lua, 1);
                ffi::lua_pushvalue(lua, -2);
                ffi::lua_rawset(lua, ffi::lua_upvalueindex(1));
            }
        }
    }
    1
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
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_rawget(lua, ffi::lua_upvalueindex(1));
        if ffi::lua_type(lua, -1) != ffi::LUA_TNIL {
            return Ok(Found::Loaded);
        }
        let name = text_at(lua, 1);
        if is_running(lua) {
            let reason = format!("the module `{name}` is being loaded: it requires itself, by way of others or not");
            return Err(Fault::new(reason).into());
        }
        let located = match State::of(lua).guest.directory() {
            Some(directory) => locate(directory, &name),
            None => Err(format!("there is no module `{name}`: a bundle in memory has no files but its own")),
        };
        let file = match located {
            Ok(located) => located,
            Err(_) if ffi::lua_type(lua, ffi::lua_upvalueindex(2)) == ffi::LUA_TFUNCTION => {
                return Ok(Found::Elsewhere);
            }
            Err(reason) => return Err(Fault::new(reason).into()),
        };
        let text = State::of(lua).read_program(&file)?;
        let loaded = program::load(lua, &text, &file);
        // The compiler's error is at the top.
        if loaded == ffi::LUA_OK { Ok(Found::Compiled) } else { Err(Raise::Top) }
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
        let mut frame: ffi::lua_Debug = std::mem::zeroed();
        // Level 0 is the running function.
        if ffi::lua_getstack(lua, 0, &raw mut frame) == 0 || ffi::lua_getinfo(lua, c"f".as_ptr(), &raw mut frame) == 0 {
            return false;
        }
        let this = ffi::lua_gettop(lua);
        let mut is_running = false;
        let mut level = 1;
        while !is_running && ffi::lua_getstack(lua, level, &raw mut frame) != 0 {
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
fn locate(directory: &Path, name: &str) -> Result<String, String> {
    let parts: Vec<_> = name.split('.').collect();
    let is_part = |part: &&str| !part.is_empty() && !part.contains(['/', '\\', ':', '\0']);
    if !parts.iter().all(is_part) {
        return Err(format!("`{name}` is no name of a module: write `folder.file` for folder/file.lua of the bundle"));
    }
    let stem = parts.join("/");
    let tried = [format!("{stem}.lua"), format!("{stem}/init.lua")];
    let Some(file) = tried.iter().find(|file| directory.join(file).is_file()) else {
        return Err(format!("there is no module `{name}`: the bundle has neither {} nor {}", tried[0], tried[1]));
    };
    // A link may lead outside of the bundle.
    if real_path(directory, &directory.join(file)).is_err() {
        return Err(format!("the module `{name}` is outside of the bundle: {file} leads there"));
    }
    Ok(file.clone())
}
