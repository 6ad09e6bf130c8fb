//! Calls of host contracts, peers and objects by Lua code.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{CallOutcome, Caller, Fault};

use crate::raise::{Raise, finish, remember_declared};
use crate::remote;
use crate::stack::Stack;
use crate::state::State;

/// The VM stays locked during calls, because one thread at a time uses the engine.
impl Caller for Stack<'_> {}

/// Implements each method of a [`RemoteValue`](remote::RemoteValue): `object:method(..)`.
///
/// # Safety
///
/// Lua calls the function, which [`remote::push`] has made.
pub(crate) unsafe extern "C-unwind" fn method(lua: *mut lua_State) -> c_int {
    // SAFETY: the caller's promise. `call` has dropped all that it held.
    unsafe { finish(lua, call(lua)) }
}

/// The number of arguments up to which the list of their indices is not on the heap.
const INLINE_ARGUMENTS: usize = 8;

/// Does the work of [`method`].
///
/// # Safety
///
/// In the C function [`method`].
unsafe fn call(lua: *mut lua_State) -> Result<c_int, Raise> {
    // SAFETY: the caller's promise. The object stays on the stack, at index 1, during the call.
    unsafe {
        let Some(object) = remote::at(lua, 1).filter(|_| has_own_metatable(lua)) else {
            return Err(Fault::new("methods are called with a colon: `object:method(..)`").into());
        };
        let state = State::of(lua);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // `remote::push` has put a method's number there
        let number = ffi::lua_tonumber(lua, ffi::lua_upvalueindex(1)) as usize;
        let expected = object.remote.methods()[number].arguments.len();
        let given = usize::try_from(ffi::lua_gettop(lua) - 1).unwrap_or(0);
        // Scripts may leave out arguments at the end that are nil.
        let count = given.max(expected);
        ffi::lua_settop(lua, c_int::try_from(count + 1).unwrap_or(c_int::MAX));
        let _switched = state.switch(lua);
        let mut stack = Stack::new(lua, state, &object.prepared);
        let mut inline = [0; INLINE_ARGUMENTS];
        let heap: Vec<c_int>;
        let indices = (2..).take(count);
        let arguments = if count <= INLINE_ARGUMENTS {
            inline.iter_mut().zip(indices).for_each(|(slot, index)| *slot = index);
            &inline[..count]
        } else {
            heap = indices.collect();
            &heap
        };
        match object.remote.call(&mut stack, number, arguments)? {
            CallOutcome::Returned(_) => Ok(1),
            CallOutcome::Declared(_) => {
                remember_declared(state, lua, object.remote.declared(number), &object.prepared);
                Err(Raise::Top)
            }
        }
    }
}

/// Returns whether the object at index 1 has the metatable that the running method was made for.
///
/// # Safety
///
/// In the C function [`method`], with a value that has a metatable at index 1.
unsafe fn has_own_metatable(lua: *mut lua_State) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_getmetatable(lua, 1);
        let is_own = ffi::lua_rawequal(lua, -1, ffi::lua_upvalueindex(2)) != 0;
        ffi::lua_pop(lua, 1);
        is_own
    }
}
