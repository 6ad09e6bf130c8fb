//! Protected calls: what runs in them may raise errors of Lua's.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::Fault;

use crate::error;
use crate::state::State;

/// Runs `body`, which may raise errors of Lua's. What it leaves on the stack goes.
pub(crate) fn protect<R>(state: &State, body: impl FnOnce(*mut lua_State) -> Result<R, Fault>) -> Result<R, Fault> {
    protect_with(state, 0, body)
}

/// As [`protect`], with values that are at the stack's top, and become the first ones of the body's.
pub(crate) fn protect_with<R>(
    state: &State,
    values: c_int,
    body: impl FnOnce(*mut lua_State) -> Result<R, Fault>,
) -> Result<R, Fault> {
    let (mut body, mut outcome) = (Some(body), None);
    let code = state.run(values, &mut |lua| {
        if let Some(body) = body.take() {
            outcome = Some(body(lua));
        }
    });
    match outcome {
        Some(outcome) if code == ffi::LUA_OK => outcome,
        // SAFETY: a failed call leaves its error on the stack.
        _ => Err(unsafe { error::take(state, state.thread(), code) }),
    }
}

/// Readies the machine to [`run`](State::run) things, and runs `body`, which may raise errors.
pub(crate) fn set_up(state: &State, body: impl FnOnce(*mut lua_State)) -> Result<(), Fault> {
    struct Setup<'a> {
        state: &'a State,
        body: Option<&'a mut dyn FnMut(*mut lua_State)>,
    }
    unsafe extern "C-unwind" fn run(lua: *mut lua_State) -> c_int {
        // SAFETY: `set_up` hands it over, and it outlives the call.
        let Setup { state, body } = unsafe { &mut *ffi::lua_touserdata(lua, 1).cast::<Setup<'_>>() };
        // SAFETY: in a protected call.
        unsafe { state.ready(lua, error::handler) };
        if let Some(body) = body.take() {
            body(lua);
        }
        0
    }
    let mut body = Some(body);
    let mut once = |lua| {
        if let Some(body) = body.take() {
            body(lua);
        }
    };
    let mut setup = Setup { state, body: Some(&mut once) };
    // SAFETY: raises no error itself.
    let code = unsafe { ffi::lua_cpcall(state.main, run, (&raw mut setup).cast()) };
    if code == ffi::LUA_OK {
        return Ok(());
    }
    // SAFETY: a failed call leaves its error on the stack.
    Err(unsafe { error::take(state, state.main, code) })
}
