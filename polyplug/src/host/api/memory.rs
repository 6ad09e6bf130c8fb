//! Memory of the host's, and the life of its tables.

use std::alloc::Layout;
use std::panic::catch_unwind;
use std::sync::Arc;

use polyplug_abi::{CallArena, HostApi};

use crate::host::abi::arena;
use crate::host::runtime::context::HostContext;

// SAFETY (for every function here): called through the table as `HostApi` documents, so `host` is null or a valid table
// of ours, and the other pointers are null or lead to memory of their types.

pub(crate) unsafe extern "C" fn alloc(_: *const HostApi, size: usize, align: usize) -> *mut u8 {
    match Layout::from_size_align(size, align) {
        // SAFETY: the size is not 0.
        Ok(layout) if size > 0 => unsafe { std::alloc::alloc(layout) },
        _ => std::ptr::null_mut(),
    }
}

pub(crate) unsafe extern "C" fn free(_: *const HostApi, ptr: *mut u8, size: usize, align: usize) {
    if ptr.is_null() || size == 0 {
        return;
    }
    if let Ok(layout) = Layout::from_size_align(size, align) {
        // SAFETY: allocated by `alloc` or `array` with this layout (the caller's promise).
        unsafe { std::alloc::dealloc(ptr, layout) };
    }
}

pub(crate) unsafe extern "C" fn error_text(_: *const HostApi, len: usize) -> *mut u8 {
    catch_unwind(|| arena::error_text(len)).unwrap_or(std::ptr::null_mut())
}

pub(crate) unsafe extern "C" fn enter_arena(_: *const HostApi) -> *mut CallArena {
    arena::enter()
}

pub(crate) unsafe extern "C" fn leave_arena(_: *const HostApi, arena: *mut CallArena) {
    // SAFETY: from `enter_arena` on this thread, the innermost (the caller's promise).
    unsafe { arena::leave(arena) };
}

pub(crate) unsafe extern "C" fn retain_host(host: *const HostApi) {
    if !host.is_null() {
        // SAFETY: every table lies at the start of a context in an `Arc`, and the pointer came from that `Arc`.
        unsafe { Arc::increment_strong_count(host.cast::<HostContext>()) };
    }
}

pub(crate) unsafe extern "C" fn release_host(host: *const HostApi) {
    if !host.is_null() {
        // SAFETY: as in `retain_host`, which the caller called before.
        unsafe { Arc::decrement_strong_count(host.cast::<HostContext>()) };
    }
}
