//! Compilation of Lua text.

use std::ffi::{CStr, CString, c_int};

use mlua::ffi::{self, lua_State};
use polyplug::engine::Fault;

use crate::text::text_at;

/// Compiles text and pushes the result: a function, or an error. `name` is the name of the chunk. Returns Lua's code,
/// [`ffi::LUA_OK`] for a function.
///
/// Byte code is refused, because byte code that was tampered with can access any memory.
///
/// # Safety
///
/// The Lua state must be valid.
pub(crate) unsafe fn load(lua: *mut lua_State, text: &[u8], name: &CStr) -> c_int {
    // SAFETY: the caller's promise. Compilation returns errors and raises none. Mode `t` refuses byte code.
    unsafe { ffi::luaL_loadbufferx(lua, text.as_ptr().cast(), text.len(), name.as_ptr(), c"t".as_ptr()) }
}

/// Checks that text is a program, without running the program.
///
/// # Errors
///
/// The text does not compile, or there is no memory to compile with.
pub(crate) fn check(text: &[u8], file: &str) -> Result<(), Fault> {
    let name = CString::new(format!("@{}", file.replace('\0', ""))).unwrap_or_default();
    let Some(vm) = BareVm::new() else {
        return Err(Fault::limit("there is not enough memory for a Lua state"));
    };
    // SAFETY: the VM is valid until dropped. A failed compilation leaves its message at the top of the stack.
    unsafe {
        match load(vm.0, text, &name) {
            ffi::LUA_OK => Ok(()),
            _ => Err(Fault::new(text_at(vm.0, -1))),
        }
    }
}

/// A VM without libraries.
pub(crate) struct BareVm(pub(crate) *mut lua_State);

impl BareVm {
    /// Makes a VM. Returns `None` if there is no memory.
    pub(crate) fn new() -> Option<Self> {
        // SAFETY: the function has no precondition.
        let lua = unsafe { ffi::luaL_newstate() };
        (!lua.is_null()).then_some(Self(lua))
    }
}

impl Drop for BareVm {
    fn drop(&mut self) {
        // SAFETY: `new` has made the VM, and this value is its only owner.
        unsafe { ffi::lua_close(self.0) };
    }
}
