//! The functions that a bundle's code has registered with `polyplug.on_unload`.

use std::ffi::c_int;

use mlua::ffi;
use polyplug::engine::Fault;

use crate::protect::protect;
use crate::registry::{push_ref, release};
use crate::state::State;

/// Runs a function, and releases the reference to it.
pub(crate) fn run(state: &State, function: c_int) -> Result<(), Fault> {
    let _timed = state.timed();
    protect(state, |lua| {
        // SAFETY: `protect` runs this closure in a protected call. The reference is released once, here.
        unsafe {
            push_ref(lua, function);
            release(lua, function);
            ffi::lua_call(lua, 0, 0);
        }
        Ok(())
    })
}
