//! Functions that make and end runtimes for hosts in other languages.
//!
//! The functions here are not exported. The C library of polyplug, the crate `polyplug-loaders`, exports symbols of the
//! same names, whose runtimes have that crate's loaders.

use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use polyplug_abi::{HostApi, RuntimeConfig, StringView};

use crate::host::abi::log::report;
use crate::host::builder::RuntimeBuilder;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::runtime::Runtime;

/// Makes a runtime without loaders. Returns the runtime's table, or null if the runtime cannot be made.
///
/// # Safety
///
/// `config` must be null, for the defaults, or lead to a configuration of the size that its first field states. The
/// callback and its user data must be usable from any thread until the runtime is destroyed. The text of the
/// configuration must be readable during this call.
pub unsafe extern "C" fn polyplug_runtime_create(config: *const RuntimeConfig) -> *const HostApi {
    // SAFETY: the caller promises the same of `config` as `create_with` asks for.
    unsafe { create_with(config, |builder| builder) }
}

/// Makes a runtime like [`polyplug_runtime_create`], from the builder that `set_up` returns: for libraries that bring
/// loaders of their own. Catches a panic of `set_up`, and returns null then.
///
/// # Safety
///
/// The same as for [`polyplug_runtime_create`].
pub unsafe fn create_with(
    config: *const RuntimeConfig,
    set_up: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
) -> *const HostApi {
    // Unwind safe: a builder that `set_up` leaves half changed is dropped by the panic.
    catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller promises that `config` is null or a configuration of the size that it states.
        let config = unsafe { read_config(config) };
        // SAFETY: the caller promises that the text of a configuration is readable during this call.
        let folder = unsafe { config.data_directory.bytes() }.filter(|folder| !folder.is_empty());
        let mut builder = Runtime::builder();
        if let Some(folder) = folder {
            builder = builder.data_directory(&*String::from_utf8_lossy(folder));
        }
        let config = RuntimeConfig { data_directory: StringView::null(), ..config };
        match set_up(builder.config(config)).build() {
            Ok(runtime) => {
                let host = runtime.host_abi();
                // The caller's table owns the runtime until `polyplug_runtime_destroy`.
                std::mem::forget(runtime);
                host
            }
            Err(error) => {
                report!(ERROR, "polyplug_runtime_create: {error}");
                std::ptr::null()
            }
        }
    }))
    .unwrap_or(std::ptr::null())
}

/// Ends a runtime: unloads its bundles and frees its table. Null is ignored.
///
/// # Safety
///
/// `host` must be null or come from [`polyplug_runtime_create`] or [`create_with`], and not be used again.
pub unsafe extern "C" fn polyplug_runtime_destroy(host: *const HostApi) {
    let _ = catch_unwind(|| {
        // SAFETY: the caller promises that `host` is null or the table of a runtime that was not destroyed.
        let runtime = unsafe { HostContext::of(host) }.and_then(HostContext::runtime);
        if let Some(runtime) = runtime {
            // SAFETY: `create_with` forgot one `Arc` of this runtime, whose count ends here.
            unsafe { Arc::decrement_strong_count(Arc::as_ptr(&runtime)) };
        }
    });
}

/// Reads a configuration, field by field. A configuration that is smaller than that of version 1 is ignored: all
/// defaults hold.
///
/// # Safety
///
/// `config` must be null or lead to a configuration of the size that its first field states.
unsafe fn read_config(config: *const RuntimeConfig) -> RuntimeConfig {
    let mut read = RuntimeConfig::default();
    if config.is_null() || !config.is_aligned() {
        return read;
    }
    // SAFETY: not null; the caller promises that `config` leads to a configuration, which begins with its size.
    let size = unsafe { (&raw const (*config).struct_size).read() };
    if size < offset_of!(RuntimeConfig, data_directory) {
        return read;
    }
    // SAFETY: the caller promises that all `size` bytes are readable, and `size` covers the fields that are read. The flag
    // is read as a byte, for C may have written another value than 0 and 1.
    unsafe {
        if size >= size_of::<RuntimeConfig>() {
            read.data_directory = (&raw const (*config).data_directory).read();
        }
        read.compatibility = (&raw const (*config).compatibility).read();
        read.hot_reload_enabled = (&raw const (*config).hot_reload_enabled).cast::<u8>().read() != 0;
        read.on_reload = (&raw const (*config).on_reload).read();
        read.on_reload_user_data = (&raw const (*config).on_reload_user_data).read();
    }
    read
}
