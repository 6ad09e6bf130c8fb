//! The loader's own programs, each of which is compiled once in the process.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use mlua::ffi::{self, lua_State};

use crate::program::BareVm;

/// A program of the loader's own, which each VM runs when it is made.
pub(crate) struct Builtin {
    text: &'static [u8],
    /// The program as byte code; the text if there was no memory to compile with.
    compiled: OnceLock<Vec<u8>>,
}

impl Builtin {
    pub(crate) const fn new(text: &'static [u8]) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// Pushes the program as a function.
    ///
    /// # Safety
    ///
    /// In a protected call.
    pub(crate) unsafe fn push(&self, lua: *mut lua_State) {
        let code = self.compiled.get_or_init(|| compile(self.text).unwrap_or_else(|| self.text.to_owned()));
        // SAFETY: the caller's promise. The byte code is what this LuaJIT has made of the text. The error, which is at
        // the top of the stack then, can only be a lack of memory.
        unsafe {
            if ffi::luaL_loadbuffer(lua, code.as_ptr().cast(), code.len(), c"=polyplug".as_ptr()) != ffi::LUA_OK {
                ffi::lua_error(lua);
            }
        }
    }
}

/// Compiles text to byte code, with what errors need to name lines. Returns `None` if there is no memory.
fn compile(text: &[u8]) -> Option<Vec<u8>> {
    let vm = BareVm::new()?;
    let mut code = Vec::new();
    // SAFETY: the VM is valid until dropped. Compilation returns errors and raises none, and leaves a function, which is
    // what `lua_dump` expects. `append` takes a vector.
    let dumped = unsafe {
        let loaded = ffi::luaL_loadbuffer(vm.0, text.as_ptr().cast(), text.len(), c"=polyplug".as_ptr());
        loaded == ffi::LUA_OK && ffi::lua_dump(vm.0, append, (&raw mut code).cast(), 0) == 0
    };
    dumped.then_some(code)
}

/// Appends a part of byte code to a vector.
///
/// # Safety
///
/// `lua_dump` calls the function, with the address of a `Vec<u8>`.
unsafe extern "C-unwind" fn append(_: *mut lua_State, part: *const c_void, len: usize, code: *mut c_void) -> c_int {
    // SAFETY: the caller's promise: `part` has `len` bytes, and nothing else uses the vector meanwhile.
    unsafe { (*code.cast::<Vec<u8>>()).extend_from_slice(std::slice::from_raw_parts(part.cast(), len)) };
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_compiled_with_their_names_and_lines() {
        let code = compile(b"local a = 9007199254740993ULL\nreturn function() error('x') end").unwrap();
        assert_eq!(&code[..3], b"\x1bLJ", "byte code");
        assert_eq!(compile(b"no program"), None);
    }
}
