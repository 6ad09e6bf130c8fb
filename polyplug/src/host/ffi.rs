//! Making and ending runtimes from other languages.
//!
//! Ordinary functions: the C library of polyplug, the crate `polyplug-loaders`, exports symbols of the same names, which
//! know its loaders.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use polyplug_abi::{HostApi, RuntimeConfig};

use crate::host::builder::RuntimeBuilder;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::runtime::Runtime;

/// Makes a runtime without loaders; its table. Null when that fails.
///
/// # Safety
///
/// `config` must be null, for the defaults, or lead to a configuration of the size that it states in its first
/// field. The callback and its user data must be usable from any thread until the runtime is destroyed.
pub unsafe extern "C" fn polyplug_runtime_create(config: *const RuntimeConfig) -> *const HostApi {
    // SAFETY: the caller's promise.
    unsafe { create_with(config, |builder| builder) }
}

/// Makes a runtime as [`polyplug_runtime_create`] does, from a builder that `set_up` has had in its hands: for
/// libraries that bring loaders of their own. Never unwinds, whatever `set_up` does.
///
/// # Safety
///
/// As for [`polyplug_runtime_create`].
pub unsafe fn create_with(
    config: *const RuntimeConfig,
    set_up: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
) -> *const HostApi {
    // What `set_up` leaves behind half done goes with the builder.
    catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller's promise.
        let config = unsafe { read_config(config) };
        match set_up(Runtime::builder().config(config)).build() {
            Ok(runtime) => {
                let host = runtime.host_abi();
                // The caller's table owns the runtime until `polyplug_runtime_destroy`.
                std::mem::forget(runtime);
                host
            }
            Err(error) => {
                tracing::error!(%error, "polyplug_runtime_create");
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
        // SAFETY: the caller's promise.
        let runtime = unsafe { HostContext::of(host) }.and_then(HostContext::runtime);
        if let Some(runtime) = runtime {
            // SAFETY: `polyplug_runtime_create` left one count behind, which ends here.
            unsafe { Arc::decrement_strong_count(Arc::as_ptr(&runtime)) };
        }
    });
}

/// Reads a configuration, field by field. One that is smaller than version 1's is none: all defaults hold.
unsafe fn read_config(config: *const RuntimeConfig) -> RuntimeConfig {
    let mut read = RuntimeConfig::default();
    if config.is_null() || !config.is_aligned() {
        return read;
    }
    // SAFETY: the caller's promise; a configuration begins with its size.
    let size = unsafe { (&raw const (*config).struct_size).read() };
    if size < size_of::<RuntimeConfig>() {
        return read;
    }
    // SAFETY: large enough. The flag is read as a byte: C has no Rust `bool`.
    unsafe {
        read.compatibility = (&raw const (*config).compatibility).read();
        read.hot_reload_enabled = (&raw const (*config).hot_reload_enabled).cast::<u8>().read() != 0;
        read.on_reload = (&raw const (*config).on_reload).read();
        read.on_reload_user_data = (&raw const (*config).on_reload_user_data).read();
    }
    read
}
