//! How the text of a program is compiled.

use std::ffi::{CString, c_int};

use mlua::ffi::{self, lua_State};
use polyplug::engine::Fault;

use crate::text::text_at;

/// Compiles text, and leaves on the stack what comes of it: a function, or an error.
///
/// # Safety
///
/// The machine must be valid.
pub(crate) unsafe fn load(lua: *mut lua_State, text: &[u8], file: &str) -> c_int {
    let name = CString::new(format!("@{}", file.replace('\0', ""))).unwrap_or_default();
    // SAFETY: the caller's promise. Only text is taken: a byte code that was tampered with can do anything.
    unsafe { ffi::luaL_loadbufferx(lua, text.as_ptr().cast(), text.len(), name.as_ptr(), c"t".as_ptr()) }
}

/// Whether text is a program.
pub(crate) fn compile(text: &[u8], file: &str) -> Result<(), Fault> {
    struct Machine(*mut lua_State);
    impl Drop for Machine {
        fn drop(&mut self) {
            // SAFETY: ours, and nobody is in it.
            unsafe { ffi::lua_close(self.0) };
        }
    }
    // SAFETY: a machine of our own; compiling raises no errors, it returns them.
    unsafe {
        let lua = ffi::luaL_newstate();
        if lua.is_null() {
            return Err(Fault::limit("there is not enough memory for a Lua machine"));
        }
        let machine = Machine(lua);
        match load(machine.0, text, file) {
            ffi::LUA_OK => Ok(()),
            _ => Err(Fault::new(text_at(machine.0, -1))),
        }
    }
}
