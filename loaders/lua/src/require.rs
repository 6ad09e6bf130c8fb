//! `require`: the module `polyplug`, and other files of the bundle. Nothing outside of it.

use std::ffi::c_int;
use std::path::{Path, PathBuf};

use mlua::ffi::{self, lua_State};
use polyplug::engine::Fault;

use crate::error::raise;
use crate::program;
use crate::registry::take_ref;
use crate::state::State;
use crate::text::text_at;

/// Makes `require`. The module `polyplug` must be at the top of the stack, and goes. May raise an error.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn open(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        // The modules that are loaded, by their names.
        ffi::lua_pushvalue(lua, -1);
        let state = State::of(lua);
        let mut refs = state.refs.get();
        refs.module = take_ref(lua);
        state.refs.set(refs);
        ffi::lua_createtable(lua, 0, 4);
        ffi::lua_insert(lua, -2);
        ffi::lua_setfield(lua, -2, c"polyplug".as_ptr());
        // With the full standard library: what was there before, for its modules.
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"require".as_ptr());
        ffi::lua_pushcclosure(lua, require, 2);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, c"require".as_ptr());
    }
}

enum Next {
    /// It is at the top of the stack.
    Found,
    /// Compiled, at the top of the stack.
    Run,
    /// Lua's own has to look.
    Elsewhere,
    /// The value at the top of the stack is an error.
    Throw,
    Raise(Fault),
}

unsafe extern "C-unwind" fn require(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe {
        match find(lua) {
            Next::Found => 1,
            Next::Throw => ffi::lua_error(lua),
            Next::Raise(fault) => raise(lua, fault),
            Next::Elsewhere => {
                ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(2));
                ffi::lua_pushvalue(lua, 1);
                ffi::lua_call(lua, 1, 1);
                1
            }
            Next::Run => {
                ffi::lua_pushvalue(lua, 1);
                ffi::lua_call(lua, 1, 1);
                if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
                    ffi::lua_settop(lua, -2);
                    ffi::lua_pushboolean(lua, 1);
                }
                ffi::lua_pushvalue(lua, 1);
                ffi::lua_pushvalue(lua, -2);
                ffi::lua_rawset(lua, ffi::lua_upvalueindex(1));
                1
            }
        }
    }
}

unsafe fn find(lua: *mut lua_State) -> Next {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_settop(lua, 1);
        if ffi::lua_type(lua, 1) != ffi::LUA_TSTRING {
            return Next::Raise(Fault::new("`require` takes the name of a module"));
        }
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_rawget(lua, ffi::lua_upvalueindex(1));
        if ffi::lua_type(lua, -1) != ffi::LUA_TNIL {
            return Next::Found;
        }
        let name = text_at(lua, 1);
        if is_running(lua) {
            return Next::Raise(Fault::new(format_args!(
                "the module `{name}` is being loaded: it requires itself, by way of others or not"
            )));
        }
        let found = match State::of(lua).guest.directory() {
            Some(directory) => locate(directory, &name),
            None => Err(format!("there is no module `{name}`: a bundle in memory has no files but its own")),
        };
        let (path, file) = match found {
            Ok(found) => found,
            Err(_) if ffi::lua_type(lua, ffi::lua_upvalueindex(2)) == ffi::LUA_TFUNCTION => return Next::Elsewhere,
            Err(reason) => return Next::Raise(Fault::new(reason)),
        };
        match std::fs::read(&path) {
            Ok(text) if program::load(lua, &text, &file) == ffi::LUA_OK => Next::Run,
            Ok(_) => Next::Throw,
            Err(error) => Next::Raise(Fault::new(format_args!("{file}: {error}"))),
        }
    }
}

/// Whether a call that has not returned yet requires the same module. What is at index 1 is its name.
unsafe fn is_running(lua: *mut lua_State) -> bool {
    // SAFETY: the caller's promise. A record of zeros is one, and filled in before it is read.
    unsafe {
        let mut frame: ffi::lua_Debug = std::mem::zeroed();
        // This function.
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

/// The file of a module in a bundle, and how errors call it.
fn locate(directory: &Path, name: &str) -> Result<(PathBuf, String), String> {
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
    let path = directory.join(file);
    // A link may lead elsewhere.
    let is_inside = match (path.canonicalize(), directory.canonicalize()) {
        (Ok(path), Ok(directory)) => path.starts_with(directory),
        _ => false,
    };
    if !is_inside {
        return Err(format!("the module `{name}` is outside of the bundle: {file} leads there"));
    }
    Ok((path, file.clone()))
}
