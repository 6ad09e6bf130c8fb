//! Calls of methods by the runtime.
//!
//! A protected call costs time. [`call_fast`] protects only the method's function, which suffices where arguments and
//! result are made and read without errors of Lua's. [`call_protected`] protects everything.

use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{Fault, IncomingCall};
use polyplug::schema::Shape;

use crate::catch;
use crate::prepared::Prepared;
use crate::protect::protect_with;
use crate::raise::is_raised;
use crate::registry::push_ref;
use crate::stack::Stack;
use crate::state::State;
use crate::text::{push_text, text_at, without_location};
use crate::vm::{Method, PluginCode};

/// Carries out a call in which only the function needs protection.
#[inline]
pub(crate) fn call_fast(
    state: &State,
    code: &PluginCode,
    method: Method,
    instance: c_int,
    call: &IncomingCall<'_>,
) -> Result<(), Fault> {
    let lua = state.thread();
    // SAFETY: the thread is one of the state's VM. The method's path says that all values are scalars, or that the
    // state lets strings be made outside of protected calls. The block below provides room for the arguments.
    let mut stack = unsafe { Stack::new(lua, state, &code.prepared) };
    let count = c_int::try_from(call.arguments()).unwrap_or(c_int::MAX);
    let is_outermost = !state.is_busy.replace(true);
    // SAFETY: the VM is valid as long as the state, and the runtime lets only this thread use the VM. Nothing but the
    // function raises errors, and `lua_pcall` returns those.
    let outcome = unsafe {
        // The stack of the outermost call is empty but for the handler, and such a stack has room for forty values.
        let has_room = is_outermost && count <= ffi::LUA_MINSTACK;
        if !has_room && ffi::lua_checkstack(lua, count.saturating_add(ffi::LUA_MINSTACK)) == 0 {
            state.is_busy.set(!is_outermost);
            return Err(state.out_of_memory());
        }
        // The outermost call finds the message handler at the bottom of the stack, a call within another pushes it.
        let handler = if is_outermost {
            1
        } else {
            push_ref(lua, state.refs.get().handler);
            ffi::lua_gettop(lua)
        };
        push_ref(lua, method.function);
        push_ref(lua, instance);
        let arguments = call.each_argument(&mut stack, drop);
        let outcome = arguments.and_then(|()| match ffi::lua_pcall(lua, count + 1, 1, handler) {
            ffi::LUA_OK => set_small(&mut stack, handler + 1, call),
            code => failed(&stack, code, call),
        });
        ffi::lua_settop(lua, if is_outermost { handler } else { handler - 1 });
        outcome
    };
    state.is_busy.set(!is_outermost);
    outcome
}

/// Sets the result of a call, which is at the top of the stack, at index `result`.
#[inline]
fn set_small(stack: &mut Stack<'_>, result: c_int, call: &IncomingCall<'_>) -> Result<(), Fault> {
    if stack.kind(result) != ffi::LUA_TCDATA {
        return call.set_result(stack, &result);
    }
    // A C value is read by a Lua function, which may raise errors: also where the contract says that the result is small.
    protect_stack(stack, |stack| call.set_result(stack, &1))
}

/// Carries out a call in a protected call. `push_function` pushes the function, and returns how many values it has
/// pushed that come before the arguments.
pub(crate) fn call_protected(
    state: &State,
    prepared: &Rc<Prepared>,
    call: &IncomingCall<'_>,
    mut push_function: impl FnMut(*mut lua_State) -> Result<c_int, Fault>,
) -> Result<(), Fault> {
    let mut carry_out = |lua| {
        // SAFETY: `State::run` runs this closure in a protected call, with a thread of the state's VM.
        let mut stack = unsafe { Stack::new(lua, state, prepared) };
        let extra = push_function(lua)?;
        let count = c_int::try_from(call.arguments()).unwrap_or(c_int::MAX);
        // SAFETY: in the protected call of `State::run`.
        unsafe { ffi::luaL_checkstack_(lua, count.saturating_add(8), c"too many arguments".as_ptr()) };
        call.each_argument(&mut stack, drop)?;
        // SAFETY: in the protected call of `State::run`, with the function, `extra` values and the arguments at the
        // top.
        unsafe { ffi::lua_call(lua, count + extra, 1) };
        let result = stack.top();
        call.set_result(&mut stack, &result)
    };
    let mut outcome = Ok(());
    let code = state.run(0, &mut |lua| outcome = carry_out(lua));
    if code == ffi::LUA_OK {
        return outcome;
    }
    // SAFETY: the thread is one of the state's VM, and valid as long as the state. `failed` makes no values on it.
    let stack = unsafe { Stack::new(state.thread(), state, prepared) };
    // SAFETY: `State::run` leaves the error of a failed call at the top of the stack.
    let outcome = unsafe { failed(&stack, code, call) };
    stack.pop(1);
    outcome
}

/// Ends a call that has raised an error: with a declared error, or with a fault. The error stays on the stack.
///
/// # Safety
///
/// The error must be at the top of the stack, and `code` the code that the protected call has returned.
#[cold]
unsafe fn failed(stack: &Stack<'_>, code: c_int, call: &IncomingCall<'_>) -> Result<(), Fault> {
    let state = stack.state;
    stack.push_copy(-1);
    // SAFETY: the caller's promise. Both branches pop the copy.
    unsafe {
        if code == ffi::LUA_ERRRUN && is_declared(stack, call) {
            state.caught.replace(None);
            declare(stack, call)
        } else {
            Err(catch::take(state, stack.lua, code))
        }
    }
}

/// Returns whether the error at the top of the stack is one that the method declares.
///
/// # Safety
///
/// There must be a value on the stack.
unsafe fn is_declared(stack: &Stack<'_>, call: &IncomingCall<'_>) -> bool {
    let Some(definition) = call.declares() else { return false };
    if stack.state.time.is_over() {
        return false;
    }
    // SAFETY: the caller's promise, and that of `Stack::new`'s caller.
    if unsafe { is_raised(stack.state, stack.lua, -1) } {
        return true;
    }
    let Some(definition) = definition else { return false };
    match &stack.prepared.contract.schema.definition(definition).shape {
        Shape::Enum(cases) => {
            stack.kind(-1) == ffi::LUA_TSTRING && {
                // SAFETY: the value is a string.
                let text = unsafe { text_at(stack.lua, -1) };
                let name = without_location(&stack.state.chunks.with_files(text));
                cases.iter().any(|case| case.name == name)
            }
        }
        // A table without a tag is an exception that a library has raised.
        Shape::Variant(_) => stack.is_table(-1) && has_tag(stack),
        _ => stack.is_table(-1),
    }
}

/// Returns whether the table at the top of the stack has a tag.
fn has_tag(stack: &Stack<'_>) -> bool {
    stack.push_copy(-1);
    let has_tag = protect_stack(stack, |stack| {
        // SAFETY: in a protected call, with the table at index 1.
        unsafe { ffi::lua_getfield(stack.lua, 1, c"tag".as_ptr()) };
        Ok(stack.kind(-1) == ffi::LUA_TSTRING)
    });
    has_tag.unwrap_or(false)
}

/// Pops the error at the top of the stack and ends the call with the declared error.
fn declare(stack: &Stack<'_>, call: &IncomingCall<'_>) -> Result<(), Fault> {
    protect_stack(stack, |stack| {
        // SAFETY: in a protected call, with the error at index 1.
        unsafe {
            if is_raised(stack.state, stack.lua, 1) {
                ffi::lua_rawgeti_(stack.lua, 1, 1);
            } else if stack.kind(1) == ffi::LUA_TSTRING {
                let text = stack.state.chunks.with_files(text_at(stack.lua, 1));
                push_text(stack.lua, &without_location(&text));
            } else {
                ffi::lua_pushvalue(stack.lua, 1);
            }
        }
        let value = stack.top();
        call.set_error(stack, &value)
    })
}

/// Runs `body` in a protected call, whose stack has the value at the top of `stack` as its only value.
fn protect_stack<R>(stack: &Stack<'_>, body: impl FnOnce(&mut Stack<'_>) -> Result<R, Fault>) -> Result<R, Fault> {
    protect_with(stack.state, 1, |lua| {
        // SAFETY: in a protected call, with a thread of the state's VM.
        body(&mut unsafe { Stack::new(lua, stack.state, stack.prepared) })
    })
}
