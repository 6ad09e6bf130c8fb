//! Errors that protected calls have caught, as faults for the runtime.
//!
//! Lua calls the [message handler](handler) where an error is raised, before the stack unwinds. The handler keeps an
//! exception with the traceback, which [`take`] picks up once the protected call has returned.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};
use polyplug::CallError;
use polyplug::engine::{Exception, Fault};

use crate::raise::{call_error, is_raised, take_declared};
use crate::stack::Stack;
use crate::state::State;
use crate::text::{describe, split_location, text_at};

/// Pops the error of a protected call and returns the error as a fault. `code` is the code that the call returned.
///
/// # Safety
///
/// The Lua state must be valid, and the error at the top of the stack.
pub(crate) unsafe fn take(state: &State, lua: *mut lua_State, code: c_int) -> Fault {
    let caught = state.caught.take();
    // SAFETY: the caller's promise.
    unsafe {
        if code == ffi::LUA_ERRMEM || (state.ran_out_of_memory() && is_about_memory(lua, code)) {
            ffi::lua_pop(lua, 1);
            return state.out_of_memory();
        }
        let fault = if state.time.is_over() {
            state.limits.out_of_time(state.guest.bundle())
        } else {
            fault_of_value(state, lua, caught)
        };
        ffi::lua_pop(lua, 1);
        fault
    }
}

/// Returns whether the error at the top of the stack tells of a lack of memory although its code says otherwise. The
/// code is lost where the message handler lacks memory as well, and where a script catches the error and raises it
/// again.
///
/// # Safety
///
/// The Lua state must be valid, and the error at the top of the stack.
unsafe fn is_about_memory(lua: *mut lua_State, code: c_int) -> bool {
    // SAFETY: the caller's promise.
    code == ffi::LUA_ERRERR
        || unsafe { ffi::lua_type(lua, -1) == ffi::LUA_TSTRING && text_at(lua, -1).ends_with("not enough memory") }
}

/// Returns the fault for the error value at the top of the stack. `caught` is the handler's exception, which does not
/// exist where Lua has not called the handler.
///
/// # Safety
///
/// The Lua state must be valid, and the error at the top of the stack.
unsafe fn fault_of_value(state: &State, lua: *mut lua_State, caught: Option<Exception>) -> Fault {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(error) = call_error(state, lua, -1)
            && matches!(error, CallError::Deadlock(_) | CallError::LimitReached(_))
        {
            return error.clone().into();
        }
        let mut exception = caught.unwrap_or_else(|| exception(state, lua, -1));
        if let Some((call, prepared)) = take_declared(state, lua) {
            // Reading the error may raise another one.
            let described = protect_top(state, lua, |lua| {
                // SAFETY: in a protected call, with a thread of the state's VM, and the error at index 1.
                call.describe(&mut Stack::new(lua, state, &prepared), &1)
            });
            exception.message = described.unwrap_or(exception.message);
        }
        exception.into()
    }
}

/// Runs `body` in a protected call, with a copy of the value at the top of the stack as its only value. Returns `None` if
/// it raises an error.
///
/// # Safety
///
/// The Lua state must be the thread that the state's calls use, with a value at the top of the stack and room for
/// another one.
unsafe fn protect_top<R>(state: &State, lua: *mut lua_State, body: impl FnOnce(*mut lua_State) -> R) -> Option<R> {
    let (mut body, mut outcome) = (Some(body), None);
    // SAFETY: the caller's promise.
    unsafe { ffi::lua_pushvalue(lua, -1) };
    let code = state.run(1, &mut |lua| outcome = body.take().map(|body| body(lua)));
    if code == ffi::LUA_OK {
        return outcome;
    }
    state.caught.replace(None);
    // SAFETY: `run` leaves the error of a failed call at the top of the stack.
    unsafe { ffi::lua_pop(lua, 1) };
    None
}

/// Returns the exception for the error value at an index, without a traceback.
///
/// # Safety
///
/// The Lua state must be valid, and the index too.
unsafe fn exception(state: &State, lua: *mut lua_State, index: c_int) -> Exception {
    // SAFETY: the caller's promise. Tables are read without metamethods, so that nothing raises an error.
    unsafe {
        if let Some(error) = call_error(state, lua, index) {
            return Exception { message: error.to_string(), ..Exception::default() };
        }
        if is_raised(state, lua, index) {
            // The method declares no error.
            ffi::lua_rawgeti(lua, index, 1);
            let exception = exception(state, lua, -1);
            ffi::lua_pop(lua, 1);
            return exception;
        }
        let message = match ffi::lua_type(lua, index) {
            ffi::LUA_TSTRING => text_at(lua, index),
            ffi::LUA_TTABLE => {
                // Libraries often put the text into this field.
                ffi::lua_pushvalue(lua, index);
                ffi::lua_pushstring(lua, c"message".as_ptr());
                ffi::lua_rawget(lua, -2);
                let has_message = ffi::lua_type(lua, -1) == ffi::LUA_TSTRING;
                let message = has_message.then(|| text_at(lua, -1));
                ffi::lua_pop(lua, 2);
                message.unwrap_or_else(|| format!("an error that is a table{}", fields(lua, index)))
            }
            _ => describe(lua, index),
        };
        let (location, message) = split_location(&state.chunks.with_files(message));
        Exception { message, location, traceback: None }
    }
}

/// The number of a table's fields that an error shows.
const SHOWN_FIELDS: usize = 8;

/// Returns the fields of a table that has been raised, as the end of a sentence: `: {code = number 7}`. Fields whose
/// names are not text are left out.
///
/// # Safety
///
/// The Lua state must be valid, and the value at the index a table.
unsafe fn fields(lua: *mut lua_State, index: c_int) -> String {
    let mut fields = Vec::new();
    // SAFETY: the caller's promise. Tables are traversed without metamethods, and the loop does not change the table.
    unsafe {
        if ffi::lua_checkstack(lua, 4) == 0 {
            return String::new();
        }
        ffi::lua_pushvalue(lua, index);
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, -2) != 0 {
            if ffi::lua_type(lua, -2) == ffi::LUA_TSTRING {
                fields.push(format!("{} = {}", text_at(lua, -2), describe(lua, -1)));
            }
            ffi::lua_pop(lua, 1);
            if fields.len() > SHOWN_FIELDS {
                ffi::lua_pop(lua, 1);
                break;
            }
        }
        ffi::lua_pop(lua, 1);
    }
    if fields.is_empty() {
        return String::new();
    }
    let more = if fields.len() > SHOWN_FIELDS { ", .." } else { "" };
    fields.truncate(SHOWN_FIELDS);
    fields.sort();
    format!(": {{{}{more}}}", fields.join(", "))
}

/// Handles the message of an error that no script catches: keeps an exception with the traceback in the [`State`], and
/// returns the error value to Lua as it is.
///
/// # Safety
///
/// Lua calls the function with the error as its argument, while the calls that the error passes are still on the stack.
pub(crate) unsafe extern "C-unwind" fn handler(lua: *mut lua_State) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let state = State::of(lua);
        // A declared error is not an exception.
        if !is_raised(state, lua, 1) {
            let mut exception = match converted(state, lua) {
                Some(message) => Exception { message, ..Exception::default() },
                None => exception(state, lua, 1),
            };
            if exception.location.is_none() {
                exception.location = location(lua);
            }
            exception.traceback = traceback(lua).map(|text| state.chunks.with_files(text));
            state.caught.replace(Some(exception));
        }
        ffi::lua_settop(lua, 1);
    }
    1
}

/// Returns the result of the metamethod `__tostring` of the error, if the error is a table that has one.
///
/// # Safety
///
/// In a message handler, with the error at index 1.
unsafe fn converted(state: &State, lua: *mut lua_State) -> Option<String> {
    // SAFETY: the caller's promise. Once the time is up no script may run in a handler: see `time_limit`.
    unsafe {
        if ffi::lua_type(lua, 1) != ffi::LUA_TTABLE
            || state.time.is_over()
            || ffi::luaL_callmeta(lua, 1, c"__tostring".as_ptr()) == 0
        {
            return None;
        }
        let text = (ffi::lua_type(lua, -1) == ffi::LUA_TSTRING).then(|| text_at(lua, -1));
        ffi::lua_settop(lua, 1);
        text
    }
}

/// Returns the file and line of the innermost call of a function of a file, or `None` if there is none.
///
/// # Safety
///
/// In a message handler.
unsafe fn location(lua: *mut lua_State) -> Option<String> {
    // SAFETY: the caller's promise. `lua_getstack` says whether there is such a level, for which `lua_getinfo` fills the
    // fields that `S` and `l` select. The name is a C string that the running function keeps.
    unsafe {
        for level in 1..MAX_LEVELS {
            let mut info: ffi::lua_Debug = std::mem::zeroed();
            if ffi::lua_getstack(lua, level, &raw mut info) == 0 {
                return None;
            }
            ffi::lua_getinfo(lua, c"Sl".as_ptr(), &raw mut info);
            if info.source.is_null() || info.currentline <= 0 {
                continue;
            }
            let name = CStr::from_ptr(info.source).to_string_lossy();
            if let Some(file) = name.strip_prefix('@') {
                return Some(format!("{file}:{}", info.currentline));
            }
        }
    }
    None
}

/// The number of calls among which the innermost one of a file is searched. Between that and the error are functions
/// of Lua's library and of the loader.
const MAX_LEVELS: c_int = 16;

/// Returns the calls on the stack without those of the loader, or `None` if there are no others.
///
/// # Safety
///
/// In a message handler.
unsafe fn traceback(lua: *mut lua_State) -> Option<String> {
    // SAFETY: the caller's promise.
    let text = unsafe {
        ffi::luaL_traceback(lua, lua, std::ptr::null(), 1);
        let text = text_at(lua, -1);
        ffi::lua_pop(lua, 1);
        text
    };
    let is_of_script = |line: &&str| !line.trim_end().ends_with("[C]: in function <builtin>");
    let mut lines: Vec<_> = text.lines().filter(is_of_script).collect();
    // The last call is that of the C function which has called the first script.
    while lines.last().is_some_and(|line| line.trim() == "[C]: in ?") {
        lines.pop();
    }
    (lines.len() > 1).then(|| lines.join("\n"))
}
