//! Errors that the loader's C functions raise in Lua.
//!
//! Three kinds of error values exist:
//!
//! - text with the location in front, for faults of the script itself
//! - a userdata with the fields `kind`, `message`, `bundle`, `contract`, `method` and `location`, for a call that failed:
//!   see [`call_error`]
//! - a table with a declared error, for `polyplug.raise`: see [`raise_declared`]

use std::ffi::{CStr, c_int};
use std::rc::Rc;

use mlua::ffi::{self, lua_State};
use polyplug::CallError;
use polyplug::engine::{DeclaredCall, Fault};

use crate::prepared::Prepared;
use crate::registry::{RegistryRefs, has_metatable, push_ref, take_ref};
use crate::state::State;
use crate::text::push_text;
use crate::userdata::{push_metatable, push_slot, value_at};

/// An error for [`finish`] to raise.
pub(crate) enum Raise {
    /// The value at the top of the stack.
    Top,
    /// A fault, which becomes an error value.
    Fault(Fault),
}

impl From<Fault> for Raise {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Ends a C function: returns the number of the function's results, or raises the error.
///
/// An error of Lua's unwinds without dropping what the C function holds. So a C function does its work in another
/// function, which has dropped everything when it returns the outcome.
///
/// # Safety
///
/// In a C function that Lua has called and that holds nothing to be dropped.
pub(crate) unsafe fn finish(lua: *mut lua_State, outcome: Result<c_int, Raise>) -> c_int {
    match outcome {
        Ok(count) => count,
        // SAFETY: the caller's promise.
        Err(error) => unsafe {
            if let Raise::Fault(fault) = error {
                push_fault(lua, fault);
            }
            ffi::lua_error(lua)
        },
    }
}

/// Pushes a fault as an error value and drops the fault. A lack of memory leaks the fault.
///
/// # Safety
///
/// In a protected call.
unsafe fn push_fault(lua: *mut lua_State, fault: Fault) {
    // SAFETY: the caller's promise. The metatable is one for `CallError`, as the value in the slot.
    unsafe {
        match fault.into_call_error() {
            Ok(error) => {
                let slot = push_slot::<CallError>(lua);
                slot.write(Some(Box::new(error)));
                push_ref(lua, State::of(lua).refs.get().call_error);
                ffi::lua_setmetatable(lua, -2);
            }
            Err(fault) => {
                // Lua's own errors have the location in front, too.
                ffi::luaL_where(lua, 1);
                push_text(lua, &fault.to_string());
                ffi::lua_concat(lua, 2);
            }
        }
    }
}

/// Raises the value at index 1 as the error that the running method declares.
///
/// # Safety
///
/// In a C function that Lua has called and that holds nothing to be dropped.
pub(crate) unsafe fn raise_declared(lua: *mut lua_State) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_settop(lua, 1);
        ffi::lua_createtable(lua, 1, 0);
        ffi::lua_insert(lua, 1);
        ffi::lua_rawseti(lua, 1, 1);
        push_ref(lua, State::of(lua).refs.get().raised);
        ffi::lua_setmetatable(lua, 1);
        ffi::lua_error(lua)
    }
}

/// Remembers that a call has returned the value at the top of the stack as the error that its method declares.
///
/// # Safety
///
/// In a C function that Lua has called, with room for a value on the stack.
pub(crate) unsafe fn remember_declared(state: &State, lua: *mut lua_State, call: DeclaredCall, of: &Rc<Prepared>) {
    // SAFETY: the caller's promise. The table has room for its only item, so nothing raises an error.
    unsafe {
        push_ref(lua, state.refs.get().declared);
        ffi::lua_pushvalue(lua, -2);
        ffi::lua_rawseti(lua, -2, 1);
        ffi::lua_pop(lua, 1);
    }
    state.declared.replace(Some((call, Rc::clone(of))));
}

/// Takes the call that has returned the value at the top of the stack as a declared error, if it is the last one that
/// has.
///
/// # Safety
///
/// The Lua state must be valid, with a value at the top of the stack, and room for two more.
pub(crate) unsafe fn take_declared(state: &State, lua: *mut lua_State) -> Option<(DeclaredCall, Rc<Prepared>)> {
    // SAFETY: the caller's promise. The comparison calls no metamethod, and the item exists already.
    unsafe {
        push_ref(lua, state.refs.get().declared);
        ffi::lua_rawgeti(lua, -1, 1);
        let is_last = ffi::lua_rawequal(lua, -1, -3) != 0;
        ffi::lua_pop(lua, 2);
        if is_last { state.declared.take() } else { None }
    }
}

/// Returns whether [`raise_declared`] has raised the value at an index. The declared error is item 1 of the value then.
///
/// # Safety
///
/// The Lua state must be valid, the index too, and the stack must have room for two values.
pub(crate) unsafe fn is_raised(state: &State, lua: *mut lua_State, index: c_int) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ffi::lua_type(lua, index) == ffi::LUA_TTABLE && has_metatable(lua, index, state.refs.get().raised) }
}

/// Returns the error of a call that failed, if the value at an index is one.
///
/// # Safety
///
/// The Lua state must be valid, the index too, and the stack must have room for two values. The value must stay on the
/// stack while the reference is used.
pub(crate) unsafe fn call_error<'a>(state: &State, lua: *mut lua_State, index: c_int) -> Option<&'a CallError> {
    // SAFETY: the caller's promise. Only `push_fault` sets the metatable, for userdata with a `CallError`, and scripts
    // cannot get it.
    unsafe {
        let is_call_error =
            ffi::lua_type(lua, index) == ffi::LUA_TUSERDATA && has_metatable(lua, index, state.refs.get().call_error);
        if is_call_error { value_at(lua, index) } else { None }
    }
}

/// Makes the metatables of error values.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn open(state: &State, lua: *mut lua_State) {
    // SAFETY: the caller's promise. Only `push_fault` sets the metatable, for userdata with a `CallError`.
    unsafe {
        push_metatable::<CallError>(lua, to_string);
        ffi::lua_pushcclosure(lua, index, 0);
        ffi::lua_setfield(lua, -2, c"__index".as_ptr());
        let call_error = take_ref(lua);
        ffi::lua_createtable(lua, 0, 0);
        let raised = take_ref(lua);
        ffi::lua_createtable(lua, 1, 0);
        let declared = take_ref(lua);
        state.refs.set(RegistryRefs { call_error, raised, declared, ..state.refs.get() });
    }
}

/// Implements `__index` of call errors: returns the value of a field.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn index(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe {
        let Some(error) = call_error(State::of(lua), lua, 1) else { return 0 };
        if ffi::lua_type(lua, 2) != ffi::LUA_TSTRING {
            return 0;
        }
        let key = CStr::from_ptr(ffi::lua_tostring(lua, 2));
        let text = match key.to_bytes() {
            b"message" => Some(error.to_string()),
            b"kind" => Some(error.kind().to_owned()),
            b"bundle" => error.bundle().map(str::to_owned),
            b"contract" => error.contract().map(str::to_owned),
            b"method" => error.method().map(str::to_owned),
            b"location" => error.failure().location.clone(),
            _ => None,
        };
        let Some(text) = text else { return 0 };
        push_text(lua, &text);
    }
    1
}

/// Implements `__tostring` of call errors.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn to_string(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe {
        let text = call_error(State::of(lua), lua, 1).map(ToString::to_string).unwrap_or_default();
        push_text(lua, &text);
    }
    1
}
