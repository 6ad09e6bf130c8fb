//! Calls of host contracts, peers and objects.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{Answer, Caller, Fault};

use crate::error::raise;
use crate::remote::held;
use crate::stack::Stack;
use crate::state::State;

impl Caller for Stack<'_> {}

/// What a method does in the end, once nothing is left to drop.
enum Next {
    Return,
    /// The value at the top of the stack is a declared error.
    Throw,
    Raise(Fault),
}

/// A method: `object:method(..)`.
/// # Safety
///
/// Lua calls it, as a method that `remote::push` has made.
pub(crate) unsafe extern "C-unwind" fn call(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe {
        match carry_out(lua) {
            Next::Return => 1,
            Next::Throw => ffi::lua_error(lua),
            Next::Raise(fault) => raise(lua, fault),
        }
    }
}

/// Whether what is at index 1, which has a metatable, has the one that this method was made for.
unsafe fn is_own(lua: *mut lua_State) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_getmetatable(lua, 1);
        let is_own = ffi::lua_rawequal(lua, -1, ffi::lua_upvalueindex(2)) != 0;
        ffi::lua_settop(lua, -2);
        is_own
    }
}

/// As many arguments as need no list on the heap.
const FEW: usize = 8;

unsafe fn carry_out(lua: *mut lua_State) -> Next {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(held) = held(lua, 1).filter(|_| is_own(lua)) else {
            return Next::Raise(Fault::new("methods are called with a colon: `object:method(..)`"));
        };
        let state = State::of(lua);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // put there as the number of a method
        let number = ffi::lua_tonumber(lua, ffi::lua_upvalueindex(1)) as usize;
        let expected = held.remote.methods()[number].arguments.len();
        let given = usize::try_from(ffi::lua_gettop(lua) - 1).unwrap_or(0);
        // Those at the end that are nil may be left out.
        let count = given.max(expected);
        ffi::lua_settop(lua, c_int::try_from(count + 1).unwrap_or(c_int::MAX));
        let _here = state.switch(lua);
        let mut stack = Stack { lua, state, of: &held.of };
        let mut few = [0; FEW];
        let many: Vec<c_int>;
        let places = (2..).take(count);
        let arguments = if count <= FEW {
            few.iter_mut().zip(places).for_each(|(slot, place)| *slot = place);
            &few[..count]
        } else {
            many = places.collect();
            &many
        };
        match held.remote.call(&mut stack, number, arguments) {
            Ok(Answer::Returned(_)) => Next::Return,
            Ok(Answer::Declared(_)) => Next::Throw,
            Err(fault) => Next::Raise(fault),
        }
    }
}
