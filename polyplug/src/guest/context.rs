//! What a plugin knows of the bundle it is part of and of its host.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use polyplug_abi::{HostApi, LogLevel, StringView};

/// A plugin's way to its host. Handed to factories; may be cloned and kept.
///
/// ```
/// # use polyplug::PluginContext;
/// # use polyplug_abi::LogLevel;
/// struct Greeter;
///
/// impl Greeter {
///     // named in `#[polyplug::plugin(create = Greeter::new)]`
///     fn new(context: &PluginContext) -> Result<Self, String> {
///         context.log(LogLevel::Info, "ready");
///         Ok(Self)
///     }
/// }
/// ```
pub struct PluginContext {
    host: NonNull<HostApi>,
}

// SAFETY: the host's table accepts calls from any thread, and stays valid while it is retained.
unsafe impl Send for PluginContext {}
// SAFETY: as for `Send`.
unsafe impl Sync for PluginContext {}

impl PluginContext {
    /// A context that keeps the host's table valid. It does not keep the bundle loaded.
    ///
    /// # Safety
    ///
    /// `host` must be valid and not null.
    pub(crate) unsafe fn retain(host: *const HostApi) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            ((*host).retain)(host);
            Self { host: NonNull::new_unchecked(host.cast_mut()) }
        }
    }

    /// A context for one call of a factory: the host keeps its table valid meanwhile, so nothing is retained. A clone
    /// that the factory makes retains it as usual.
    ///
    /// # Safety
    ///
    /// `host` must be valid and not null for as long as the context is used.
    pub(crate) unsafe fn borrow(host: *const HostApi) -> ManuallyDrop<Self> {
        // SAFETY: the caller's promise.
        ManuallyDrop::new(Self { host: unsafe { NonNull::new_unchecked(host.cast_mut()) } })
    }

    /// Writes to the host's log, under the bundle's name.
    pub fn log(&self, level: LogLevel, message: &str) {
        let scope = StringView::null();
        // SAFETY: the table is valid (retained), and the views are alive during the call.
        unsafe { (self.host.as_ref().log)(self.host.as_ptr(), level.0, scope, StringView::lend(message.as_bytes())) };
    }

    /// The host's table, for code that speaks the C ABI. Valid while the context is.
    #[must_use]
    pub fn host_abi(&self) -> *const HostApi {
        self.host.as_ptr()
    }
}

impl Clone for PluginContext {
    fn clone(&self) -> Self {
        // SAFETY: valid while `self` is.
        unsafe { Self::retain(self.host.as_ptr()) }
    }
}

impl Drop for PluginContext {
    fn drop(&mut self) {
        // SAFETY: retained by `retain`, and not used afterwards.
        unsafe { (self.host.as_ref().release)(self.host.as_ptr()) };
    }
}

impl std::fmt::Debug for PluginContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginContext").finish_non_exhaustive()
    }
}
