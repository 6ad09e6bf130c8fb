//! The start of a bundle: makes the VM and runs the bundle's code for the first time.

use std::borrow::Cow;
use std::ffi::c_int;
use std::sync::{Arc, OnceLock};

use mlua::ffi;
use polyplug::engine::{Fault, Guest, Limits, PluginDecl, StartError};

use crate::protect::{protect, set_up};
use crate::state::State;
use crate::stdlib::StdLib;
use crate::vm::LuaEngine;
use crate::{harmless, int64, memory_limit, module, raise, remote_call, require, sandbox, stack};

/// The place of a bundle's code.
pub(crate) enum Source<'a> {
    /// The code itself.
    Code(&'a str),
    /// The bundle's directory, which has the file that the manifest names.
    Directory,
}

/// Lets the next collection of garbage begin where it would begin after a collection: when the memory has grown by the VM's
/// usual share. Zero would begin it at once.
const RESTART: c_int = -1;

/// Makes a VM and runs the code of `source` in the VM. Returns the engine and the plugins that the text has declared.
///
/// # Errors
///
/// The text does not compile, raises an error or reaches a limit.
pub(crate) fn start(
    guest: &Arc<Guest>,
    source: &Source<'_>,
    file: &str,
    stdlib: StdLib,
    limits: Limits,
) -> Result<(LuaEngine, Vec<PluginDecl>), StartError<LuaEngine>> {
    let state = State::new(Arc::clone(guest), stdlib, limits, remote_call::method)?;
    set_up(&state, |lua| {
        // SAFETY: `set_up` runs this closure in a protected call of the state's VM. The time limit outlives the VM,
        // because both are parts of the state, which closes the VM first.
        unsafe {
            // Nothing is garbage yet.
            ffi::lua_gc(lua, ffi::LUA_GCSTOP, 0);
            sandbox::open(lua, stdlib);
            if stdlib == StdLib::Safe {
                harmless::open(lua);
            }
            stack::open(&state, lua);
            if limits.time.is_some() {
                state.time.open(lua);
                if stdlib == StdLib::Full {
                    // After `sandbox::open`, which switches the compiler on.
                    state.time.interpret(lua);
                }
            }
            if limits.memory.is_some() {
                int64::open(&state, lua);
                memory_limit::open(lua);
            }
            raise::open(&state, lua);
            module::push(&state, lua);
            require::open(&state, lua);
            ffi::lua_gc(lua, ffi::LUA_GCRESTART, RESTART);
        }
    })?;
    state.enforce_memory_limit()?;
    let declared = match run(&state, source, file).and_then(|()| declared(&state)) {
        Ok(declared) => declared,
        // The code may have registered functions for the unload, which run in the engine.
        Err(fault) => return Err(StartError::with_engine(fault, LuaEngine { state, plugins: Vec::new() })),
    };
    state.push_handler();
    let plugins = declared.iter().map(|_| OnceLock::new()).collect();
    Ok((LuaEngine { state, plugins }, declared))
}

/// Returns the plugins that the bundle's code has declared.
fn declared(state: &State) -> Result<Vec<PluginDecl>, Fault> {
    protect(state, |lua| {
        let classes = state.classes.borrow();
        // SAFETY: `protect` runs this closure in a protected call, and the bundle's code has run.
        Ok(classes.iter().map(|class| unsafe { class.declared(lua) }).collect())
    })
}

/// Runs the bundle's code, which may declare plugins.
fn run(state: &State, source: &Source<'_>, file: &str) -> Result<(), Fault> {
    let text = match source {
        Source::Code(text) => state.program_text(Cow::Borrowed(text.as_bytes()))?,
        Source::Directory => state.read_program(file)?,
    };
    let name = state.chunk_name(file);
    let _timed = state.timed();
    state.may_declare.set(true);
    let outcome = protect(state, |lua| {
        // SAFETY: `protect` runs this closure in a protected call. A failed compilation leaves its error at the top.
        unsafe {
            let loaded = state.load(lua, &text, &name);
            // Dropped before an error is raised, and before the code runs, which does not need it.
            drop(text);
            if loaded != ffi::LUA_OK {
                ffi::lua_error(lua);
            }
            ffi::lua_call(lua, 0, 0);
        }
        Ok(())
    });
    state.may_declare.set(false);
    outcome
}
