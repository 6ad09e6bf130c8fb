//! The functions that a bundle's code has registered with `polyplug.on_unload`.

use mlua::ffi;
use polyplug::engine::Fault;

use crate::protect::protect;
use crate::registry::{push_ref, release};
use crate::state::State;

/// Runs the functions, the last one first, each once. Passes each fault to `failed`.
pub(crate) fn run(state: &State, failed: &mut dyn FnMut(&Fault)) {
    // A function may register another one.
    loop {
        let Some(function) = state.on_unload.borrow_mut().pop() else { return };
        let _timed = state.timed();
        let outcome = protect(state, |lua| {
            // SAFETY: `protect` runs this closure in a protected call. The reference is released once, here.
            unsafe {
                push_ref(lua, function);
                release(lua, function);
                ffi::lua_call(lua, 0, 0);
            }
            Ok(())
        });
        if let Err(fault) = outcome {
            failed(&fault);
        }
    }
}
