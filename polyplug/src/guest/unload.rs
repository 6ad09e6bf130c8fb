//! The functions that a library runs before it is unloaded.

use std::ffi::c_void;
use std::fmt::Display;
use std::mem::offset_of;

use polyplug_abi::{AbiError, AbiErrorCode, HostApi, LogLevel};

use crate::guest::context::PluginContext;
use crate::guest::error::write_error;
use crate::guest::panic::{catch, describe_panic};

/// A function that is marked `#[on_unload]`, as the macro describes it.
#[doc(hidden)]
pub struct UnloadEntry {
    /// The package that the function is part of.
    pub package: &'static str,
    /// The file of the function.
    pub file: &'static str,
    /// The line of the function.
    pub line: u32,
    /// The function. Returns the text of a failure.
    pub run: fn(&PluginContext) -> Result<(), String>,
}

inventory::collect!(UnloadEntry);

impl UnloadEntry {
    /// Returns all functions of the program, in the order of packages, files and lines.
    pub(crate) fn all() -> Vec<&'static Self> {
        let mut entries: Vec<_> = inventory::iter::<Self>.into_iter().collect();
        entries.sort_by_key(|entry| (entry.package, entry.file, entry.line));
        entries
    }

    /// Returns the functions of a package, in the order of files and lines.
    #[cfg(feature = "host")]
    pub(crate) fn of(package: &str) -> Vec<&'static Self> {
        let mut entries = Self::all();
        entries.retain(|entry| entry.package == package);
        entries
    }
}

/// A result that a function marked `#[on_unload]` may return.
#[doc(hidden)]
pub trait UnloadOutcome {
    /// Returns the text of a failure.
    fn outcome(self) -> Result<(), String>;
}

impl UnloadOutcome for () {
    fn outcome(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display> UnloadOutcome for Result<(), E> {
    fn outcome(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}

/// Registers functions with a host.
///
/// # Safety
///
/// `host` must be valid.
pub(super) unsafe fn register_unload(host: *const HostApi, entries: &[&'static UnloadEntry]) -> Result<(), AbiError> {
    let Some(first) = entries.first() else { return Ok(()) };
    // SAFETY: `host` is valid (the caller's promise).
    if unsafe { (*host).struct_size } < offset_of!(HostApi, on_unload) + size_of::<usize>() {
        let text =
            format!("{}:{}: this host is older than `on_unload`, and calls no such function", first.file, first.line);
        // SAFETY: `host` is valid (the caller's promise).
        unsafe { PluginContext::borrow(host) }.log(LogLevel::Warn, &text);
        return Ok(());
    }
    for entry in entries {
        let mut error = AbiError::ok();
        let data = std::ptr::from_ref::<UnloadEntry>(entry).cast_mut().cast();
        // SAFETY: `host` is valid (the caller's promise) and has the function (checked above); `run` takes an entry.
        unsafe { ((*host).on_unload)(host, Some(run), data, &raw mut error) };
        if !error.is_ok() {
            return Err(error);
        }
    }
    Ok(())
}

unsafe extern "C" fn run(host: *const HostApi, data: *mut c_void, out_err: *mut AbiError) {
    // SAFETY: `register_unload` passed a static entry.
    let entry = unsafe { &*data.cast::<UnloadEntry>() };
    // SAFETY: the host passes its table, which it keeps valid during the call (the ABI).
    let context = unsafe { PluginContext::borrow(host) };
    let (code, text) = match catch(|| (entry.run)(&context)) {
        Ok(Ok(())) => return,
        Ok(Err(text)) => (AbiErrorCode::Generic, text),
        Err(payload) => (AbiErrorCode::Panic, describe_panic(payload)),
    };
    // SAFETY: `out_err` is writable or null, and the table is valid (the ABI).
    unsafe { write_error(out_err, host, std::ptr::null_mut(), code, &text) };
}
