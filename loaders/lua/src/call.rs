//! How methods are called.

use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{Fault, Incoming};
use polyplug::schema::Shape;

use crate::error;
use crate::prepared::Prepared;
use crate::protect::protect_with;
use crate::registry::push_ref;
use crate::stack::Stack;
use crate::state::State;
use crate::text::{text_at, without_location};
use crate::vm::{Code, Method, Way};

/// A call of whose values nothing needs protection, but the function itself.
#[inline]
pub(crate) fn call_short(
    state: &State,
    code: &Code,
    method: &Method,
    instance: c_int,
    call: &Incoming<'_>,
) -> Result<(), Fault> {
    let lua = state.thread();
    let mut stack = Stack { lua, state, of: &code.of };
    let count = c_int::try_from(call.arguments()).unwrap_or(c_int::MAX);
    // The first call finds the message handler at the bottom of the stack; one within another brings its own.
    let is_first = !state.is_busy.replace(true);
    let Method { function, way } = *method;
    // SAFETY: this thread is in the machine. Nothing here raises errors but the function.
    let outcome = unsafe {
        // An empty stack has room for forty values, always.
        let has_room = is_first && count <= ffi::LUA_MINSTACK;
        if !has_room && ffi::lua_checkstack(lua, count.saturating_add(ffi::LUA_MINSTACK)) == 0 {
            state.is_busy.set(!is_first);
            return Err(state.out_of_memory());
        }
        let handler = if is_first {
            1
        } else {
            push_ref(lua, state.refs.get().handler);
            ffi::lua_gettop(lua)
        };
        push_ref(lua, function);
        push_ref(lua, instance);
        let arguments = call.each_argument(&mut stack, drop);
        let outcome = arguments.and_then(|()| match ffi::lua_pcall(lua, count + 1, 1, handler) {
            ffi::LUA_OK if way == Way::Plain => call.give(&mut stack, &(handler + 1)),
            ffi::LUA_OK => give_short(state, &mut stack, handler + 1, call),
            code => failed(state, &stack, code, call),
        });
        ffi::lua_settop(lua, if is_first { handler } else { handler - 1 });
        outcome
    };
    state.is_busy.set(!is_first);
    outcome
}

#[inline]
fn give_short(state: &State, stack: &mut Stack<'_>, result: c_int, call: &Incoming<'_>) -> Result<(), Fault> {
    // SAFETY: the result is there.
    if unsafe { ffi::lua_type(stack.lua, result) } != ffi::LUA_TCDATA {
        return call.give(stack, &result);
    }
    // To look at an integer of 64 bits takes a function of Lua's.
    protect_with(state, 1, |lua| call.give(&mut Stack { lua, state, of: stack.of }, &1))
}

/// Any other call: everything is done in a protected one.
pub(crate) fn call_any(
    state: &State,
    of: &Rc<Prepared>,
    call: &Incoming<'_>,
    mut push_function: impl FnMut(*mut lua_State) -> Result<c_int, Fault>,
) -> Result<(), Fault> {
    let mut carry_out = |lua| {
        let mut stack = Stack { lua, state, of };
        let extra = push_function(lua)?;
        let count = c_int::try_from(call.arguments()).unwrap_or(c_int::MAX);
        // SAFETY: in a protected call.
        unsafe { ffi::luaL_checkstack_(lua, count.saturating_add(8), c"too many arguments".as_ptr()) };
        call.each_argument(&mut stack, drop)?;
        // SAFETY: as above; the function, what comes before its arguments, and those are on the stack.
        unsafe { ffi::lua_call(lua, count + extra, 1) };
        // SAFETY: as above.
        let result = unsafe { ffi::lua_gettop(lua) };
        call.give(&mut stack, &result)
    };
    let mut outcome = Ok(());
    let code = state.run(0, &mut |lua| outcome = carry_out(lua));
    if code == ffi::LUA_OK {
        return outcome;
    }
    let stack = Stack { lua: state.thread(), state, of };
    let outcome = failed(state, &stack, code, call);
    // SAFETY: this thread is in the machine, and the error is at the top.
    unsafe { ffi::lua_settop(stack.lua, -2) };
    outcome
}

/// A call that ended in an error, which is at the top of the stack, and stays: one that the method declares, or a
/// failure.
#[cold]
fn failed(state: &State, stack: &Stack<'_>, code: c_int, call: &Incoming<'_>) -> Result<(), Fault> {
    // SAFETY: the error is there. Who looks at it takes a copy.
    unsafe {
        ffi::lua_pushvalue(stack.lua, -1);
        if code == ffi::LUA_ERRRUN && is_declared(state, stack, call) {
            state.caught.replace(None);
            declare(state, stack, call)
        } else {
            Err(error::take(state, stack.lua, code))
        }
    }
}

/// Whether the error at the top of the stack is one that the method declares.
unsafe fn is_declared(state: &State, stack: &Stack<'_>, call: &Incoming<'_>) -> bool {
    let Some(definition) = call.declares() else { return false };
    let lua = stack.lua;
    // SAFETY: the caller's promise.
    unsafe {
        if state.deadline.is_over() {
            return false;
        }
        if error::is_raised(state, lua, -1) {
            return true;
        }
        let Some(definition) = definition else { return false };
        match &stack.of.contract.schema.definition(definition).shape {
            Shape::Enum(cases) => {
                ffi::lua_type(lua, -1) == ffi::LUA_TSTRING && {
                    let name = without_location(&text_at(lua, -1));
                    cases.iter().any(|case| case.name == name)
                }
            }
            // Libraries raise tables of their own.
            Shape::Variant(_) => ffi::lua_type(lua, -1) == ffi::LUA_TTABLE && has_tag(state, lua),
            _ => ffi::lua_type(lua, -1) == ffi::LUA_TTABLE,
        }
    }
}

/// Whether the table at the top of the stack has a tag.
unsafe fn has_tag(state: &State, lua: *mut lua_State) -> bool {
    // SAFETY: this thread is in the machine; the copy is taken by the protected call.
    unsafe { ffi::lua_pushvalue(lua, -1) };
    let has_tag = protect_with(state, 1, |lua| {
        // SAFETY: in a protected call, with the table as its first value.
        unsafe {
            ffi::lua_getfield(lua, 1, c"tag".as_ptr());
            Ok(ffi::lua_type(lua, -1) == ffi::LUA_TSTRING)
        }
    });
    has_tag.unwrap_or(false)
}

unsafe fn declare(state: &State, stack: &Stack<'_>, call: &Incoming<'_>) -> Result<(), Fault> {
    protect_with(state, 1, |lua| {
        let mut stack = Stack { lua, state, of: stack.of };
        // SAFETY: in a protected call, with the error as its first value.
        unsafe {
            if error::is_raised(state, lua, 1) {
                ffi::lua_rawgeti(lua, 1, 1);
            } else if ffi::lua_type(lua, 1) == ffi::LUA_TSTRING {
                let name = without_location(&text_at(lua, 1));
                ffi::lua_pushlstring(lua, name.as_ptr().cast(), name.len());
            } else {
                ffi::lua_pushvalue(lua, 1);
            }
            let value = ffi::lua_gettop(lua);
            call.declare(&mut stack, &value)
        }
    })
}
