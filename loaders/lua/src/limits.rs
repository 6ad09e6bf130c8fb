//! How a machine is kept within what its bundle may use up.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};

use mlua::ffi::{self, lua_Debug, lua_State};

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

/// How many instructions of the machine are carried out between two looks at the clock.
const INSTRUCTIONS: c_int = 1000;

/// Looks at the clock from now on.
///
/// # Safety
///
/// The machine must be valid, and this thread in it.
pub(crate) unsafe fn watch(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe { ffi::lua_sethook(lua, Some(look), ffi::LUA_MASKCOUNT, INSTRUCTIONS) };
}

/// Does so no longer.
///
/// # Safety
///
/// As for [`watch`].
pub(crate) unsafe fn unwatch(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe { ffi::lua_sethook(lua, None, 0, 0) };
}

/// `xpcall`, whose handler is left out once the time is up: what a hook raises is handled within the hook, where no other
/// hook fires, and a handler could run on forever.
const XPCALL: &CStr = c"
local xpcall, is_over = ...
return function(f, handler, ...)
  return xpcall(f, function(value)
    if is_over() then return value end
    return handler(value)
  end, ...)
end
";

/// Changes what a program could otherwise escape the clock by. May raise an error.
///
/// # Safety
///
/// In a protected call, after the standard library was opened.
pub(crate) unsafe fn guard(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::luaL_loadbuffer(lua, XPCALL.as_ptr(), XPCALL.to_bytes().len(), c"=polyplug".as_ptr()) != ffi::LUA_OK {
            ffi::lua_error(lua);
        }
        ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"xpcall".as_ptr());
        ffi::lua_pushcclosure(lua, is_over, 0);
        ffi::lua_call(lua, 2, 1);
        ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, c"xpcall".as_ptr());
    }
}

unsafe extern "C-unwind" fn is_over(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it, with room for a few values.
    unsafe { ffi::lua_pushboolean(lua, crate::state::State::of(lua).deadline.is_over().into()) };
    1
}

/// Ends what runs for too long.
unsafe extern "C-unwind" fn look(state: *mut lua_State, _: *mut lua_Debug) {
    // SAFETY: Lua calls its hooks with a valid machine, in which an error may be raised.
    unsafe {
        if crate::state::State::of(state).deadline.is_over() {
            // From now on at each instruction: code that catches errors must not go on.
            ffi::lua_sethook(state, Some(look), ffi::LUA_MASKCOUNT, 1);
            ffi::luaL_error(state, c"the call takes too long".as_ptr());
        }
    }
}
