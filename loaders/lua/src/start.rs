//! How a bundle's code is run for the first time.

use std::ffi::c_int;
use std::sync::{Arc, OnceLock};

use mlua::ffi::{self, lua_State};
use polyplug::engine::{Declared, Fault, Guest, Limits};

use crate::protect::{protect, set_up};
use crate::state::State;
use crate::stdlib::StdLib;
use crate::vm::LuaEngine;
use crate::{error, memory_limit, module, program, remote_call, require, sandbox, time_limit};

/// Interprets everything: `luaJIT_setmode` with `LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF`.
const ENGINE_OFF: c_int = 0;

unsafe extern "C-unwind" {
    fn luaJIT_setmode(lua: *mut lua_State, index: c_int, mode: c_int) -> c_int;
}

/// A machine in which `text` has run.
pub(crate) fn start(
    guest: &Arc<Guest>,
    text: &[u8],
    file: &str,
    stdlib: StdLib,
    limits: Limits,
) -> Result<(LuaEngine, Vec<Declared>), Fault> {
    let state = State::new(Arc::clone(guest), stdlib, limits, remote_call::call)?;
    set_up(&state, |lua| {
        // SAFETY: in a protected call.
        unsafe {
            sandbox::open(lua, stdlib);
            // After the library, which switches the compiler on.
            if limits.time.is_some() {
                luaJIT_setmode(lua, 0, ENGINE_OFF);
                time_limit::guard(lua, &state.deadline);
            }
            if limits.memory.is_some() {
                memory_limit::collect_soon(lua);
            }
            error::open(&state, lua);
            module::push(&state, lua);
            require::open(lua);
        }
    })?;
    let timed = state.timed();
    state.declaring.set(true);
    let ran = protect(&state, |lua| {
        // SAFETY: in a protected call. An error is one of the compiler's, and raised as it is.
        unsafe {
            if program::load(lua, text, file) != ffi::LUA_OK {
                ffi::lua_error(lua);
            }
            ffi::lua_call(lua, 0, 0);
        }
        Ok(())
    });
    state.declaring.set(false);
    drop(timed);
    ran?;
    let declared = protect(&state, |lua| {
        let classes = state.classes.borrow();
        // SAFETY: in a protected call.
        Ok(classes.iter().map(|class| unsafe { class.declared(lua) }).collect::<Vec<_>>())
    })?;
    state.settle();
    let plugins = declared.iter().map(|_| OnceLock::new()).collect();
    Ok((LuaEngine { state, plugins }, declared))
}
