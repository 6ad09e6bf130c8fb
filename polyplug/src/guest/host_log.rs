//! The host's log, for events of the crates `tracing` and `log` in a plugin's library.
//!
//! Such an event does not say which host it belongs to. It goes to the host that has initialised the library last.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::{Mutex, MutexGuard, PoisonError};

use polyplug_abi::{AbiError, HostApi, LogLevel, StringView};

/// The hosts that have initialised this library, each retained. Empty before and after that.
static HOSTS: Mutex<Vec<Host>> = Mutex::new(Vec::new());

/// A host's table, which is retained.
struct Host(*const HostApi);

// SAFETY: the table accepts calls from any thread (the ABI).
unsafe impl Send for Host {}

impl Host {
    /// Returns the host of events, retained for the caller.
    fn current() -> Option<Self> {
        let hosts = hosts();
        let host = hosts.last()?.0;
        // SAFETY: the table is retained as long as it is in the list.
        unsafe { ((*host).retain_host)(host) };
        Some(Self(host))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: this value has retained the table, and does not use it afterwards.
        unsafe { ((*self.0).release_host)(self.0) };
    }
}

fn hosts() -> MutexGuard<'static, Vec<Host>> {
    HOSTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a host, until it unloads the library.
///
/// # Safety
///
/// `host` must be valid.
pub(super) unsafe fn add(host: *const HostApi) -> Result<(), AbiError> {
    // SAFETY: `host` is valid (the caller's promise).
    unsafe {
        ((*host).retain_host)(host);
        hosts().push(Host(host));
        if (*host).struct_size < offset_of!(HostApi, on_unload) + size_of::<usize>() {
            return Ok(()); // the host's table is kept for ever
        }
        let mut error = AbiError::ok();
        ((*host).on_unload)(host, Some(remove), std::ptr::null_mut(), &raw mut error);
        if error.is_ok() {
            return Ok(());
        }
        remove(host, std::ptr::null_mut(), std::ptr::null_mut());
        Err(error)
    }
}

unsafe extern "C" fn remove(host: *const HostApi, _: *mut c_void, _: *mut AbiError) {
    let mut hosts = hosts();
    let index = hosts.iter().rposition(|known| std::ptr::eq(known.0, host));
    let removed = index.map(|index| hosts.remove(index));
    if hosts.is_empty() {
        *hosts = Vec::new(); // gives the memory back, as the library is about to go
    }
    drop(hosts);
    drop(removed);
}

/// Returns whether the host's log takes messages of a level.
pub(super) fn is_enabled(level: LogLevel) -> bool {
    let Some(host) = Host::current() else { return false };
    // SAFETY: `host` keeps the table valid, and the size says whether the function is there.
    unsafe {
        (*host.0).struct_size < offset_of!(HostApi, log_level) + size_of::<usize>()
            || level.0 <= ((*host.0).log_level)(host.0)
    }
}

/// Writes to the host's log.
pub(super) fn write(level: LogLevel, target: &str, text: &str) {
    let Some(host) = Host::current() else { return };
    // SAFETY: `host` keeps the table valid, and the views are alive during the call.
    unsafe {
        ((*host.0).log)(host.0, level.0, StringView::lend(target.as_bytes()), StringView::lend(text.as_bytes()));
    }
}
