//! Protected calls: Rust code that may raise errors of Lua's, and whose errors come back as faults.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::Fault;

use crate::catch;
use crate::state::State;

/// Runs `body` in a protected call. Values that `body` leaves on its stack are dropped.
///
/// # Errors
///
/// `body` has returned a fault, or raised an error.
pub(crate) fn protect<R>(state: &State, body: impl FnOnce(*mut lua_State) -> Result<R, Fault>) -> Result<R, Fault> {
    protect_with(state, 0, body)
}

/// Runs `body` as [`protect`] does. The topmost `values` of the stack become the first ones on the stack of `body`.
///
/// # Errors
///
/// `body` has returned a fault, or raised an error.
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
        // SAFETY: `run` leaves the error of a failed call at the top of the stack.
        _ => Err(unsafe { catch::take(state, state.thread(), code) }),
    }
}

/// Attaches the state to its VM and runs `body` in the VM's first protected call.
///
/// # Errors
///
/// `body` has raised an error, or there is no memory.
pub(crate) fn set_up(state: &State, body: impl FnOnce(*mut lua_State)) -> Result<(), Fault> {
    struct Setup<'a> {
        state: &'a State,
        body: &'a mut dyn FnMut(*mut lua_State),
    }
    unsafe extern "C-unwind" fn run(lua: *mut lua_State) -> c_int {
        // SAFETY: the argument is the address that `set_up` has given `lua_cpcall`, of a value that outlives the call.
        let Setup { state, body } = unsafe { &mut *ffi::lua_touserdata(lua, 1).cast::<Setup<'_>>() };
        // SAFETY: `lua_cpcall` protects this call.
        unsafe { state.attach(lua, catch::handler) };
        body(lua);
        0
    }
    let mut body = Some(body);
    let mut once = |lua| {
        if let Some(body) = body.take() {
            body(lua);
        }
    };
    let mut setup = Setup { state, body: &mut once };
    // SAFETY: the VM is valid as long as the state. `lua_cpcall` returns errors and raises none.
    let code = unsafe { ffi::lua_cpcall(state.main(), run, (&raw mut setup).cast()) };
    if code == ffi::LUA_OK {
        return Ok(());
    }
    // SAFETY: `lua_cpcall` leaves the error of a failed call at the top of the stack.
    Err(unsafe { catch::take(state, state.main(), code) })
}
