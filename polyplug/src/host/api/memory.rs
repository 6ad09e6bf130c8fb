//! The functions that allocate memory of the host, and that count the references to its tables.

use std::alloc::Layout;
use std::panic::catch_unwind;
use std::sync::Arc;

use polyplug_abi::{CallArena, HostApi};

use crate::host::abi::arena;
use crate::host::runtime::context::HostContext;

// Table-call contract: a function here is called through the table, as `HostApi` documents. So `host` is null or a
// valid table of this library, and each other pointer is null or leads to memory of its type.

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
        // SAFETY: the caller promises that `alloc` or `array` allocated `ptr` with this layout.
        unsafe { std::alloc::dealloc(ptr, layout) };
    }
}

pub(crate) unsafe extern "C" fn error_text(_: *const HostApi, len: usize) -> *mut u8 {
    catch_unwind(|| arena::error_text(len)).unwrap_or(std::ptr::null_mut())
}

pub(crate) unsafe extern "C" fn enter_arena(host: *const HostApi) -> *mut CallArena {
    arena::enter(host)
}

pub(crate) unsafe extern "C" fn leave_arena(host: *const HostApi, arena: *mut CallArena) {
    arena::leave(host, arena);
}

pub(crate) unsafe extern "C" fn retain_host(host: *const HostApi) {
    // SAFETY: the table-call contract.
    let Some(context) = (unsafe { HostContext::of(host) }) else { return };
    // Before the count, which a surplus `release_host` on another thread could take.
    // SAFETY: the table-call contract; a table lies at the start of a context in an `Arc`, and `host` came from it.
    unsafe { Arc::increment_strong_count(host.cast::<HostContext>()) };
    context.retain();
}

pub(crate) unsafe extern "C" fn release_host(host: *const HostApi) {
    // SAFETY: the table-call contract.
    let Some(context) = (unsafe { HostContext::of(host) }) else { return };
    if context.release() {
        // SAFETY: the table-call contract; a table lies at the start of a context in an `Arc`. `retain_host` incremented
        // the count, as `release` has just told.
        unsafe { Arc::decrement_strong_count(host.cast::<HostContext>()) };
    }
}
