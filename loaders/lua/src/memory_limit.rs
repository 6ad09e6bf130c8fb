//! The memory limit of a VM: an allocator that counts and refuses.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::cell::Cell;
use std::ffi::c_void;

use mlua::ffi::{self, lua_State};

/// The memory account of a VM with a limit.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    used: Cell<usize>,
    limit: usize,
    /// Whether allocations beyond the limit are refused. None is while the VM is made: LuaJIT loses memory where it
    /// cannot open a library completely.
    is_enforced: Cell<bool>,
    /// Whether an allocation was refused since [`was_refused`](Self::was_refused) was called last.
    is_refused: Cell<bool>,
}

impl Memory {
    /// Makes an account with a limit in bytes, which is not enforced yet.
    pub(crate) fn new(limit: usize) -> Self {
        Self { used: Cell::new(0), limit, is_enforced: Cell::new(false), is_refused: Cell::new(false) }
    }

    /// Refuses allocations beyond the limit from now on. Returns whether the memory in use is within the limit.
    pub(crate) fn enforce(&self) -> bool {
        self.is_enforced.set(true);
        self.used.get() <= self.limit
    }

    /// Returns the number of bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    /// Counts bytes that are not the VM's own until the returned value is dropped. Returns `None` if the limit does not
    /// allow that many.
    pub(crate) fn count(&self, bytes: usize) -> Option<Counted<'_>> {
        let used = self.used.get().checked_add(bytes).filter(|used| *used <= self.limit)?;
        self.used.set(used);
        Some(Counted { memory: self, bytes })
    }

    /// Returns whether an allocation was refused since the last call of this function.
    pub(crate) fn was_refused(&self) -> bool {
        self.is_refused.replace(false)
    }
}

/// Bytes that are counted as a VM's: see [`Memory::count`].
pub(crate) struct Counted<'a> {
    memory: &'a Memory,
    bytes: usize,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.memory.used.set(self.memory.used.get() - self.bytes);
    }
}

/// The alignment of Lua's values.
const ALIGN: usize = 16;

/// Allocates, reallocates and frees for a VM whose [`Memory`] is `ud`.
///
/// # Safety
///
/// Lua calls the function. `ptr` is null, or this function has returned `ptr` for `osize` bytes. The [`Memory`] must
/// outlive the VM.
pub(crate) unsafe extern "C" fn allocate(ud: *mut c_void, ptr: *mut c_void, osize: usize, nsize: usize) -> *mut c_void {
    // SAFETY: `State::new` has given the address to `lua_newstate`, and keeps the `Memory` as long as the VM.
    let memory = unsafe { &*ud.cast::<Memory>() };
    let osize = if ptr.is_null() { 0 } else { osize };
    // SAFETY: the alignment is a power of two. Lua asks for sizes far below the largest that a layout may have.
    let layout = |size| unsafe { Layout::from_size_align_unchecked(size, ALIGN) };
    if nsize == 0 {
        if !ptr.is_null() {
            // SAFETY: the caller's promise: `ptr` came from here, with this layout.
            unsafe { dealloc(ptr.cast(), layout(osize)) };
            memory.used.set(memory.used.get() - osize);
        }
        return std::ptr::null_mut();
    }
    let used = memory.used.get() - osize + nsize;
    if nsize > osize && used > memory.limit && memory.is_enforced.get() {
        memory.is_refused.set(true);
        return std::ptr::null_mut();
    }
    // SAFETY: the size is not 0, and a `ptr` that is not null came from here, with this layout (the caller's promise).
    let next = unsafe { if ptr.is_null() { alloc(layout(nsize)) } else { realloc(ptr.cast(), layout(osize), nsize) } };
    if !next.is_null() {
        memory.used.set(used);
    }
    next.cast()
}

/// Prepares a VM for a memory limit.
///
/// - The garbage collector runs early and fast. By default a collection begins when twice the memory in use is
///   allocated, which may be more than the limit.
/// - In a debug build, the compiler does not optimise loops as a whole. Where memory runs out in that step, LuaJIT subtracts
///   some kilobytes from its account that it never had. By the account LuaJIT decides when to collect garbage, and nothing else;
///   [`Memory`] has its own. But a debug build of LuaJIT, which its crate makes by the same condition, ends the process for that
///   when the VM is closed.
///
/// # Safety
///
/// In a protected call, after the standard library was opened.
pub(crate) unsafe fn open(lua: *mut lua_State) {
    if cfg!(debug_assertions) {
        // SAFETY: the caller's promise. The library `jit` has registered its part `jit.opt` in the table of libraries.
        unsafe {
            ffi::lua_getfield(lua, ffi::LUA_REGISTRYINDEX, c"_LOADED".as_ptr());
            ffi::lua_getfield(lua, -1, c"jit.opt".as_ptr());
            ffi::lua_getfield(lua, -1, c"start".as_ptr());
            ffi::lua_pushstring(lua, c"-loop".as_ptr());
            ffi::lua_call(lua, 1, 0);
            ffi::lua_pop(lua, 2);
        }
    }
    // SAFETY: the caller's promise. Both calls set a number, in percent: the first, at how much of the memory in use
    // the next cycle begins; the second, how much memory is visited for the memory that is allocated during a cycle.
    unsafe {
        ffi::lua_gc(lua, ffi::LUA_GCSETPAUSE, 110);
        ffi::lua_gc(lua, ffi::LUA_GCSETSTEPMUL, 400);
    }
}
