//! How a machine is kept within the memory that its bundle may use.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::cell::Cell;
use std::ffi::c_void;

use mlua::ffi::{self, lua_State};

/// The memory of a machine with a limit.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    used: Cell<usize>,
    limit: usize,
    /// Whether more was asked for than there is.
    is_refused: Cell<bool>,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Self {
        Self { used: Cell::new(0), limit, is_refused: Cell::new(false) }
    }

    /// Whether more was asked for than there is, since this was asked last.
    pub(crate) fn was_refused(&self) -> bool {
        self.is_refused.replace(false)
    }
}

/// What Lua's values are aligned to.
const ALIGN: usize = 16;

/// Lua's allocator for a machine with a limit: `ud` is its [`Memory`].
///
/// # Safety
///
/// As Lua calls it: `ptr` is null, or came from here with size `osize`.
pub(crate) unsafe extern "C" fn allocate(ud: *mut c_void, ptr: *mut c_void, osize: usize, nsize: usize) -> *mut c_void {
    // SAFETY: given to `lua_newstate`, and kept as long as the machine.
    let memory = unsafe { &*ud.cast::<Memory>() };
    let osize = if ptr.is_null() { 0 } else { osize };
    // SAFETY: sizes that Lua asks for are far below the limit of a layout.
    let layout = |size| unsafe { Layout::from_size_align_unchecked(size, ALIGN) };
    if nsize == 0 {
        if !ptr.is_null() {
            // SAFETY: the caller's promise.
            unsafe { dealloc(ptr.cast(), layout(osize)) };
            memory.used.set(memory.used.get() - osize);
        }
        return std::ptr::null_mut();
    }
    let used = memory.used.get() - osize + nsize;
    if nsize > osize && used > memory.limit {
        memory.is_refused.set(true);
        return std::ptr::null_mut();
    }
    // SAFETY: the size is not 0; what is reallocated came from here.
    let next = unsafe { if ptr.is_null() { alloc(layout(nsize)) } else { realloc(ptr.cast(), layout(osize), nsize) } };
    if !next.is_null() {
        memory.used.set(used);
    }
    next.cast()
}

/// Collects garbage before much of it has piled up: usually twice as much memory as is in use is waited for, and a limit
/// may be less than that.
///
/// # Safety
///
/// The machine must be valid.
pub(crate) unsafe fn collect_soon(lua: *mut lua_State) {
    // SAFETY: the caller's promise. Both set a number: of the memory in use, when the next cycle begins, and of the memory
    // that is allocated meanwhile, how much is gone through; in percent.
    unsafe {
        ffi::lua_gc(lua, ffi::LUA_GCSETPAUSE, 110);
        ffi::lua_gc(lua, ffi::LUA_GCSETSTEPMUL, 400);
    }
}
