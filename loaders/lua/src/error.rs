//! Errors of Lua's, on their way out and in.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};
use polyplug::CallError;
use polyplug::engine::{Exception, Fault};

use crate::registry::{push_ref, take_ref};
use crate::state::State;
use crate::text::{describe, split_location, text_at};

/// Takes the error that a protected call left on the stack.
///
/// # Safety
///
/// One must be there; `code` is what the call returned.
pub(crate) unsafe fn take(state: &State, lua: *mut lua_State, code: c_int) -> Fault {
    let caught = state.caught.take();
    // SAFETY: the caller's promise.
    unsafe {
        if code == ffi::LUA_ERRMEM || (state.ran_out_of_memory() && is_about_memory(lua, code)) {
            ffi::lua_settop(lua, -2);
            return state.out_of_memory();
        }
        let fault = if state.deadline.is_over() {
            state.limits.out_of_time(state.guest.bundle())
        } else {
            of_value(state, lua, caught)
        };
        ffi::lua_settop(lua, -2);
        fault
    }
}

/// Whether the error at the top of the stack is that of memory which ran out, on a way that lost its code: past the
/// handler, which needs memory as well, or past somebody who caught it and raised it again.
unsafe fn is_about_memory(lua: *mut lua_State, code: c_int) -> bool {
    // SAFETY: the caller's promise.
    code == ffi::LUA_ERRERR
        || unsafe { ffi::lua_type(lua, -1) == ffi::LUA_TSTRING && text_at(lua, -1).ends_with("not enough memory") }
}

/// The value at the top of the stack as a fault.
unsafe fn of_value(state: &State, lua: *mut lua_State, caught: Option<Exception>) -> Fault {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(error) = call_error(state, lua, -1)
            && matches!(error, CallError::Deadlock(_) | CallError::LimitReached(_))
        {
            return error.clone().into();
        }
    }
    // The handler has looked at it where Lua calls one.
    // SAFETY: as above.
    let exception = caught.unwrap_or_else(|| unsafe { exception(state, lua, -1) });
    exception.into()
}

/// The error of a call that a value is, if it is one.
///
/// # Safety
///
/// The machine must be valid, and the index too.
pub(crate) unsafe fn call_error<'a>(state: &State, lua: *mut lua_State, index: c_int) -> Option<&'a CallError> {
    // SAFETY: the caller's promise; values with this metatable are made by `raise_call` only.
    unsafe {
        if ffi::lua_type(lua, index) != ffi::LUA_TUSERDATA || ffi::lua_getmetatable(lua, index) == 0 {
            return None;
        }
        push_ref(lua, state.refs.get().call_error);
        let is_ours = ffi::lua_rawequal(lua, -1, -2) != 0;
        ffi::lua_settop(lua, -3);
        if !is_ours {
            return None;
        }
        (*ffi::lua_touserdata(lua, index).cast::<Option<Box<CallError>>>()).as_deref()
    }
}

/// What an error value says.
unsafe fn exception(state: &State, lua: *mut lua_State, index: c_int) -> Exception {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(error) = call_error(state, lua, index) {
            return Exception { message: error.to_string(), ..Exception::default() };
        }
        if is_raised(state, lua, index) {
            // In a method that declares no error.
            ffi::lua_rawgeti(lua, index, 1);
            let exception = exception(state, lua, -1);
            ffi::lua_settop(lua, -2);
            return exception;
        }
        let message = match ffi::lua_type(lua, index) {
            ffi::LUA_TSTRING => text_at(lua, index),
            ffi::LUA_TTABLE => {
                // What people put into errors that are tables.
                ffi::lua_pushvalue(lua, index);
                ffi::lua_pushstring(lua, c"message".as_ptr());
                ffi::lua_rawget(lua, -2);
                let has_message = ffi::lua_type(lua, -1) == ffi::LUA_TSTRING;
                let message = if has_message { text_at(lua, -1) } else { "an error that is a table".to_owned() };
                ffi::lua_settop(lua, -3);
                message
            }
            _ => describe(lua, index),
        };
        let (location, message) = split_location(&message);
        Exception { message, location, traceback: None }
    }
}

/// Makes the metatables of errors. May raise an error.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn open(state: &State, lua: *mut lua_State) {
    let mut refs = state.refs.get();
    let functions: [(&CStr, ffi::lua_CFunction); 3] =
        [(c"__index", index), (c"__tostring", to_string), (c"__gc", collect)];
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 4);
        for (name, function) in functions {
            ffi::lua_pushcclosure(lua, function, 0);
            ffi::lua_setfield(lua, -2, name.as_ptr());
        }
        ffi::lua_pushboolean(lua, 0);
        ffi::lua_setfield(lua, -2, c"__metatable".as_ptr());
        refs.call_error = take_ref(lua);
        ffi::lua_createtable(lua, 0, 0);
        refs.raised = take_ref(lua);
    }
    state.refs.set(refs);
}

/// The message handler: remembers message and traceback of an error that nobody in Lua has caught, while the calls it
/// came through are still there.
pub(crate) unsafe extern "C-unwind" fn handler(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with the error as its argument.
    unsafe {
        let state = State::of(lua);
        let is_value = is_raised(state, lua, 1);
        if !is_value {
            let mut exception = match converted(state, lua) {
                Some(message) => Exception { message, ..Exception::default() },
                None => exception(state, lua, 1),
            };
            exception.traceback = traceback(lua);
            state.caught.replace(Some(exception));
        }
        ffi::lua_settop(lua, 1);
    }
    1
}

/// What an error that is a table with the metamethod `__tostring` makes of itself.
unsafe fn converted(state: &State, lua: *mut lua_State) -> Option<String> {
    // SAFETY: the caller's promise. Where the time is up, no program may run: see `limits`.
    unsafe {
        if ffi::lua_type(lua, 1) != ffi::LUA_TTABLE
            || state.deadline.is_over()
            || ffi::luaL_callmeta(lua, 1, c"__tostring".as_ptr()) == 0
        {
            return None;
        }
        let text = (ffi::lua_type(lua, -1) == ffi::LUA_TSTRING).then(|| text_at(lua, -1));
        ffi::lua_settop(lua, 1);
        text
    }
}

/// The calls on the stack, without those of ours; none if these are all.
unsafe fn traceback(lua: *mut lua_State) -> Option<String> {
    // SAFETY: the caller's promise; the text stays while it is on the stack.
    unsafe {
        ffi::luaL_traceback(lua, lua, std::ptr::null(), 1);
        let text = text_at(lua, -1);
        ffi::lua_settop(lua, -2);
        let is_theirs = |line: &&str| !line.trim_end().ends_with("[C]: in function <builtin>");
        let mut lines: Vec<_> = text.lines().filter(is_theirs).collect();
        // Whoever called the first function is no Lua.
        while lines.last().is_some_and(|line| line.trim() == "[C]: in ?") {
            lines.pop();
        }
        (lines.len() > 1).then(|| lines.join("\n"))
    }
}

/// Whether a value was raised by `polyplug.raise`.
///
/// # Safety
///
/// The machine must be valid, and the index too.
pub(crate) unsafe fn is_raised(state: &State, lua: *mut lua_State, index: c_int) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::lua_type(lua, index) != ffi::LUA_TTABLE || ffi::lua_getmetatable(lua, index) == 0 {
            return false;
        }
        push_ref(lua, state.refs.get().raised);
        let is_raised = ffi::lua_rawequal(lua, -1, -2) != 0;
        ffi::lua_settop(lua, -3);
        is_raised
    }
}

/// Raises a fault as an error of Lua's. A call of somebody else that failed becomes a value with the fields `kind`,
/// `message` and `method`.
///
/// # Safety
///
/// In a function that Lua has called, which holds nothing that has to be dropped.
pub(crate) unsafe fn raise(lua: *mut lua_State, fault: Fault) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        push(lua, fault);
        ffi::lua_error(lua)
    }
}

/// Puts a fault onto the stack and gives it up.
unsafe fn push(lua: *mut lua_State, fault: Fault) {
    // SAFETY: the caller's promise. Memory that runs out here leaks the fault.
    unsafe {
        let state = State::of(lua);
        match fault.into_call_error() {
            Ok(error) => {
                let place = ffi::lua_newuserdata(lua, size_of::<Option<Box<CallError>>>());
                place.cast::<Option<Box<CallError>>>().write(Some(Box::new(error)));
                push_ref(lua, state.refs.get().call_error);
                ffi::lua_setmetatable(lua, -2);
            }
            Err(fault) => {
                // With the place, as Lua's own errors have it.
                ffi::luaL_where(lua, 1);
                let text = fault.to_string();
                ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
                ffi::lua_concat(lua, 2);
            }
        }
    }
}

/// The fields of an error of a call.
unsafe extern "C-unwind" fn index(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with the value and the key.
    unsafe {
        let state = State::of(lua);
        let Some(error) = call_error(state, lua, 1) else { return 0 };
        if ffi::lua_type(lua, 2) != ffi::LUA_TSTRING {
            return 0;
        }
        let key = CStr::from_ptr(ffi::lua_tostring(lua, 2));
        let text = match key.to_bytes() {
            b"message" => error.to_string(),
            b"kind" => error.kind().to_owned(),
            b"method" => match error.method() {
                Some(method) => method.to_owned(),
                None => return 0,
            },
            _ => return 0,
        };
        ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
    }
    1
}

/// An error of a call as text.
unsafe extern "C-unwind" fn to_string(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with the value.
    unsafe {
        let text = call_error(State::of(lua), lua, 1).map(ToString::to_string).unwrap_or_default();
        ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
    }
    1
}

/// Ends an error of a call.
unsafe extern "C-unwind" fn collect(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with the value, which has this metatable.
    unsafe { drop((*ffi::lua_touserdata(lua, 1).cast::<Option<Box<CallError>>>()).take()) };
    0
}
