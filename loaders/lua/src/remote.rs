//! Host contracts, peers and objects, as values of Lua's: userdata with a method for each of theirs.

use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi::{self, lua_State};
use polyplug::engine::Remote;

use crate::prepared::Prepared;
use crate::registry::{Key, push_ref, take_ref};

/// What a userdata holds, until it is collected.
pub(crate) struct Held {
    pub(crate) remote: Remote,
    pub(crate) of: Rc<Prepared>,
}

type Place = Option<Box<Held>>;

/// The key in their metatables by which they are known.
static MARK: Key = Key::new();

/// Pushes one, with `call` for each method. May raise an error, which leaks it.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn push(lua: *mut lua_State, of: &Rc<Prepared>, remote: Remote, call: ffi::lua_CFunction) {
    let metatable = of.metatable(remote.definition());
    // SAFETY: the caller's promise.
    unsafe {
        let place = ffi::lua_newuserdata(lua, size_of::<Place>()).cast::<Place>();
        place.write(None);
        match metatable {
            Some(reference) => {
                push_ref(lua, reference);
            }
            None => {
                new_metatable(lua, &remote, call);
                ffi::lua_pushvalue(lua, -1);
                of.keep_metatable(remote.definition(), take_ref(lua));
            }
        }
        ffi::lua_setmetatable(lua, -2);
        place.write(Some(Box::new(Held { remote, of: Rc::clone(of) })));
    }
}

unsafe fn new_metatable(lua: *mut lua_State, remote: &Remote, call: ffi::lua_CFunction) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 5);
        ffi::lua_pushboolean(lua, 1);
        ffi::lua_rawsetp(lua, -2, MARK.as_ptr());
        ffi::lua_pushcclosure(lua, collect, 0);
        ffi::lua_setfield(lua, -2, c"__gc".as_ptr());
        ffi::lua_pushcclosure(lua, to_string, 0);
        ffi::lua_setfield(lua, -2, c"__tostring".as_ptr());
        // What `getmetatable` gives: nobody is to take `__gc` from here.
        ffi::lua_pushboolean(lua, 0);
        ffi::lua_setfield(lua, -2, c"__metatable".as_ptr());
        let methods = remote.methods();
        ffi::lua_createtable(lua, 0, c_int::try_from(methods.len()).unwrap_or(0));
        for (number, method) in methods.iter().enumerate() {
            ffi::lua_pushlstring(lua, method.name.as_ptr().cast(), method.name.len());
            #[allow(clippy::cast_precision_loss)] // far fewer methods than that
            ffi::lua_pushnumber(lua, number as f64);
            // To know its own objects by.
            ffi::lua_pushvalue(lua, -4);
            ffi::lua_pushcclosure(lua, call, 2);
            ffi::lua_rawset(lua, -3);
        }
        ffi::lua_setfield(lua, -2, c"__index".as_ptr());
    }
}

/// The one at an index, if the value there is one.
/// # Safety
///
/// The machine must be valid, and the index too. The value has to stay on the stack while the reference is used.
pub(crate) unsafe fn held<'a>(lua: *mut lua_State, index: c_int) -> Option<&'a Held> {
    // SAFETY: the caller's promise; what has the mark was made by `push`.
    unsafe {
        if ffi::lua_type(lua, index) != ffi::LUA_TUSERDATA || ffi::lua_getmetatable(lua, index) == 0 {
            return None;
        }
        ffi::lua_rawgetp(lua, -1, MARK.as_ptr());
        let is_ours = ffi::lua_toboolean(lua, -1) != 0;
        ffi::lua_settop(lua, -3);
        if !is_ours {
            return None;
        }
        (*ffi::lua_touserdata(lua, index).cast::<Place>()).as_deref()
    }
}

/// The one at an index, if the value there is one.
///
/// # Safety
///
/// The machine must be valid, and the index too. The value has to stay on the stack while the reference is used.
pub(crate) unsafe fn at<'a>(lua: *mut lua_State, index: c_int) -> Option<&'a Remote> {
    // SAFETY: the caller's promise.
    unsafe { held(lua, index) }.map(|held| &held.remote)
}

unsafe extern "C-unwind" fn collect(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with the value, which was made by `push`.
    unsafe { drop((*ffi::lua_touserdata(lua, 1).cast::<Place>()).take()) };
    0
}

unsafe extern "C-unwind" fn to_string(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with the value.
    unsafe {
        let text = at(lua, 1).map(|remote| format!("object of {}", remote.contract())).unwrap_or_default();
        ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
    }
    1
}
