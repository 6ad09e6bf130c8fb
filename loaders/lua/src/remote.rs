//! Host contracts, peers and objects of other bundles as Lua values: userdata with the methods that the contract lists.

use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi::{self, lua_State};
use polyplug::engine::ImportedObject;

use crate::prepared::Prepared;
use crate::registry::{Key, push_ref, take_ref};
use crate::text::push_text;
use crate::userdata::{push_metatable, push_slot, value_at};

/// The value of such a userdata.
pub(crate) struct RemoteValue {
    pub(crate) remote: ImportedObject,
    /// The contract that defines the types of the methods.
    pub(crate) prepared: Rc<Prepared>,
}

/// The key in a metatable that marks userdata with a [`RemoteValue`].
static MARK: Key = Key::new();

/// Pushes a userdata. Each of its methods is a closure of `method`, whose upvalues are the method's number and the
/// metatable.
///
/// If an error of Lua's unwinds, `remote` is leaked.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn push(
    lua: *mut lua_State,
    prepared: &Rc<Prepared>,
    remote: ImportedObject,
    method: ffi::lua_CFunction,
) {
    let metatable = prepared.metatable(remote.definition());
    // SAFETY: the caller's promise. The metatable is one for `RemoteValue`, as the value written last.
    unsafe {
        let slot = push_slot::<RemoteValue>(lua);
        match metatable {
            Some(reference) => push_ref(lua, reference),
            None => {
                push_methods(lua, &remote, method);
                ffi::lua_pushvalue(lua, -1);
                prepared.keep_metatable(remote.definition(), take_ref(lua));
            }
        }
        ffi::lua_setmetatable(lua, -2);
        slot.write(Some(Box::new(RemoteValue { remote, prepared: Rc::clone(prepared) })));
    }
}

/// Pushes a new metatable for userdata with the methods of `remote`.
///
/// # Safety
///
/// In a protected call.
unsafe fn push_methods(lua: *mut lua_State, remote: &ImportedObject, method: ffi::lua_CFunction) {
    // SAFETY: the caller's promise. Only `push` sets the metatable, for userdata with a `RemoteValue`.
    unsafe {
        push_metatable::<RemoteValue>(lua, to_string);
        ffi::lua_pushboolean(lua, 1);
        ffi::lua_rawsetp(lua, -2, MARK.as_ptr());
        let methods = remote.methods();
        ffi::lua_createtable(lua, 0, c_int::try_from(methods.len()).unwrap_or(0));
        for (number, definition) in methods.iter().enumerate() {
            push_text(lua, &definition.name);
            #[allow(clippy::cast_precision_loss)] // there are far fewer methods
            ffi::lua_pushnumber(lua, number as f64);
            // A method accepts only objects with this metatable.
            ffi::lua_pushvalue(lua, -4);
            ffi::lua_pushcclosure(lua, method, 2);
            ffi::lua_rawset(lua, -3);
        }
        ffi::lua_setfield(lua, -2, c"__index".as_ptr());
    }
}

/// Returns the [`RemoteValue`] at an index, or `None` if another value is there.
///
/// # Safety
///
/// The Lua state must be valid, the index too, and the stack must have room for two values. The value must stay on the
/// stack while the reference is used.
pub(crate) unsafe fn at<'a>(lua: *mut lua_State, index: c_int) -> Option<&'a RemoteValue> {
    // SAFETY: the caller's promise. Only metatables from `push_methods` have the mark, and scripts cannot get them.
    unsafe {
        if ffi::lua_type(lua, index) != ffi::LUA_TUSERDATA || ffi::lua_getmetatable(lua, index) == 0 {
            return None;
        }
        ffi::lua_rawgetp(lua, -1, MARK.as_ptr());
        let is_marked = ffi::lua_toboolean(lua, -1) != 0;
        ffi::lua_pop(lua, 2);
        if is_marked { value_at(lua, index) } else { None }
    }
}

/// Implements `__tostring`.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn to_string(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe {
        let text = at(lua, 1).map(|value| format!("object of {}", value.remote.contract())).unwrap_or_default();
        push_text(lua, &text);
    }
    1
}
